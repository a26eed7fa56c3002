"""Benchmarks from the Hugging Face Hub. An interrupted download goes on where it stopped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import httpx
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

WHOLE_BENCHMARK = ("Scenario-*/*", "*/Scenario-*/*")  # a hub's * goes through slashes
TABLES = ("data.jsonl", "*/data.jsonl", "synthetic.json")
LICENCES = {"ArtificialAnalysis/ITBench-AA": "CC-BY-4.0", "ibm-research/ITBench-Lite": "Apache-2.0"}


class HubError(Exception):
    """The download did not come about; the message says why and what to do."""


@dataclass(frozen=True)
class HubDataset:
    repository: str  # owner/name
    revision: str  # commit hash: a branch moves, a stored snapshot must not
    folder: Path

    @property
    def provenance(self) -> dict[str, str]:
        """Fields of a benchmark that say where it came from."""
        return {
            "name": self.repository.rpartition("/")[2],
            "source_url": f"https://huggingface.co/datasets/{self.repository}",
            "licence": LICENCES.get(self.repository, ""),
            "version": self.revision,
        }


def download(
    repository: str, revision: str, tasks: Collection[str] | None, into: Path, endpoint: str | None = None
) -> HubDataset:
    """Bring a dataset's scenarios into a folder of its own, one for each revision.

    `tasks` are slugs such as scenario-31; None: all. `endpoint` is another hub than the public one.

    Raises:
        HubError: not reachable, no such repository or revision, no access, none of the tasks.
    """
    try:
        # Asked first: snapshot_download takes a half-filled folder for good when the hub is away.
        commit = HfApi(endpoint=endpoint).dataset_info(repository, revision=revision).sha
        if commit is None:
            raise HubError(f"{repository}: the hub does not tell the commit of revision {revision}")
        folder = into / repository.replace("/", "--") / commit
        snapshot_download(
            repository,
            repo_type="dataset",
            revision=commit,
            local_dir=folder,
            allow_patterns=_patterns(tasks),
            endpoint=endpoint,
        )
    except (HfHubHTTPError, HFValidationError, httpx.HTTPError, OSError) as problem:
        raise HubError(_sentence(problem, repository, revision)) from problem
    if not any(folder.rglob("Scenario-*")):
        wanted = "Scenario-N folder" if tasks is None else ", ".join(sorted(tasks))
        raise HubError(f"{repository}: there is no {wanted} at revision {commit}")
    return HubDataset(repository, commit, folder)


def _patterns(tasks: Collection[str] | None) -> list[str]:
    if tasks is None:
        return [*TABLES, *WHOLE_BENCHMARK]
    folders = [slug.capitalize() for slug in tasks]
    return [*TABLES, *(f"{prefix}{name}/*" for name in folders for prefix in ("", "*/"))]


def _sentence(problem: Exception, repository: str, revision: str) -> str:
    if isinstance(problem, HFValidationError):
        return f"{repository!r}: a repository such as ArtificialAnalysis/ITBench-AA expected"
    if isinstance(problem, GatedRepoError):
        return f"{repository}: accept its terms on the hub, then set HF_TOKEN to a token of that account"
    if isinstance(problem, RepositoryNotFoundError):
        return f"{repository}: no such dataset on the hub, or a private one: set HF_TOKEN to see it"
    if isinstance(problem, RevisionNotFoundError):
        return f"{repository}: no revision {revision!r}; a branch, a tag or a commit expected"
    return (
        f"{repository}: the hub could not be read ({_first_line(problem)}); "
        "run the same command again to go on, or give a folder that is already here"
    )


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0]
