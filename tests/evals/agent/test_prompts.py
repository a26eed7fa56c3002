from pathlib import Path

import pytest

from evals.agent.prompts import PromptFormatError, read_prompt


def test_the_default_prompt_states_the_turn_cap_the_home_and_the_answer_file():
    text = read_prompt().filled(turn_cap=37)
    assert "at most 37 turns" in text
    assert "/home/user/agent_output.json" in text
    assert "$" not in text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"Use $budget.", r"unknown placeholder \$budget"),
        (b"It costs $5.", "write \\$\\$ for a plain dollar sign"),
        (b"", "0 bytes; expected 1 to"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"x" * 200_001, "200001 bytes"),
    ],
)
def test_a_prompt_that_cant_be_used_is_refused_with_its_file_and_the_reason(tmp_path, content, told):
    file = tmp_path / "mine.md"
    file.write_bytes(content)
    with pytest.raises(PromptFormatError, match=told) as refused:
        read_prompt(file)
    assert str(file) in str(refused.value)


def test_a_missing_prompt_file_is_refused():
    with pytest.raises(PromptFormatError, match="No such file"):
        read_prompt(Path("/nowhere/prompt.md"))


def test_the_hash_of_a_prompt_is_that_of_its_text(tmp_path):
    file = tmp_path / "p.md"
    file.write_text("Find it.")
    # sha256sum of the text, computed outside Python
    assert read_prompt(file).sha256 == "5261db7edc77377eca1433c9faa21a3ab3bc60f24e7dfbc0527842ec97cb1be5"
