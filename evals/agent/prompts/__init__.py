"""The texts an agent is given. A prompt file may use $turn_cap, $home and $answer_file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template

from evals.sandbox import HOME

ANSWER_FILE = "agent_output.json"
DEFAULT_PROMPT = Path(__file__).with_name("default.md")
MAX_PROMPT_BYTES = 200_000


class PromptFormatError(ValueError):
    """A prompt file that can't be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Prompt:
    name: str
    text: str  # with its placeholders

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def filled(self, turn_cap: int) -> str:
        return Template(self.text).substitute(
            turn_cap=turn_cap, home=HOME, answer_file=f"{HOME}/{ANSWER_FILE}"
        )


def read_prompt(path: Path = DEFAULT_PROMPT) -> Prompt:
    """Read a prompt file.

    Raises:
        PromptFormatError: it is missing, too large, no UTF-8 text, or uses an unknown placeholder.
    """
    try:
        raw = path.read_bytes()
        prompt = Prompt(path.stem, raw.decode())
        prompt.filled(turn_cap=1)
    except OSError as problem:
        raise PromptFormatError(f"prompt {path}: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise PromptFormatError(f"prompt {path}: byte {problem.start} is not UTF-8") from problem
    except KeyError as problem:
        allowed = "$turn_cap, $home and $answer_file (write $$ for a plain dollar sign)"
        raise PromptFormatError(
            f"prompt {path}: unknown placeholder ${problem.args[0]}; use {allowed}"
        ) from None
    except ValueError as problem:
        raise PromptFormatError(f"prompt {path}: {problem} (write $$ for a plain dollar sign)") from problem
    if not raw.strip() or len(raw) > MAX_PROMPT_BYTES:
        raise PromptFormatError(f"prompt {path}: {len(raw)} bytes; expected 1 to {MAX_PROMPT_BYTES}")
    return prompt
