"""Downloads through the hub's own client, from a local server."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from evals.exchange.itbench_hub import HubError, download
from tests.evals.exchange.folders import row, write_rows, write_task
from tests.evals.exchange.hub_server import COMMIT, LocalHub

REPOSITORY = "ArtificialAnalysis/ITBench-AA"


@pytest.fixture
def hub(httpserver, tmp_path) -> LocalHub:
    published = tmp_path / "published"
    for number in (1, 10, 2):
        write_task(published / "sre", number)
    write_rows(published / "sre", row(1), row(2), row(10))
    (published / "README.md").write_text("the card")
    (published / "finops/Anomaly-1").mkdir(parents=True)
    (published / "finops/Anomaly-1/data.csv").write_text("date")
    return LocalHub(httpserver, REPOSITORY, published)


def files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if path.parts[0] != ".cache"}


def test_a_dataset_is_downloaded_file_for_file_into_a_folder_of_its_commit(hub, tmp_path):
    dataset = download(REPOSITORY, "main", None, tmp_path / "hub", hub.endpoint)
    assert dataset.folder == tmp_path / "hub/ArtificialAnalysis--ITBench-AA" / COMMIT
    assert files(dataset.folder) == {name for name in files(hub.folder) if name.startswith("sre/")}
    for name in files(dataset.folder):
        assert (dataset.folder / name).read_bytes() == (hub.folder / name).read_bytes()
        assert not (dataset.folder / name).is_symlink()


def test_only_the_wished_tasks_are_downloaded(hub, tmp_path):
    dataset = download(REPOSITORY, COMMIT, {"scenario-1"}, tmp_path / "hub", hub.endpoint)
    assert {name.split("/")[1] for name in files(dataset.folder)} == {"Scenario-1", "data.jsonl"}


def test_an_interrupted_download_goes_on_where_it_stopped(hub, tmp_path):
    hub.broken = {"sre/Scenario-2/k8s_events_raw.tsv"}
    with pytest.raises(HubError, match="run the same command again to go on"):
        download(REPOSITORY, COMMIT, None, tmp_path / "hub", hub.endpoint)
    first = list(hub.fetched)
    assert first
    hub.broken = set()
    hub.fetched.clear()
    dataset = download(REPOSITORY, COMMIT, None, tmp_path / "hub", hub.endpoint)
    assert files(dataset.folder) == {name for name in files(hub.folder) if name.startswith("sre/")}
    assert "sre/Scenario-2/k8s_events_raw.tsv" in hub.fetched
    assert not set(first) & set(hub.fetched)


def test_a_dataset_says_where_it_came_from(hub, tmp_path):
    dataset = download(REPOSITORY, "main", {"scenario-1"}, tmp_path / "hub", hub.endpoint)
    assert dataset.provenance == {
        "name": "ITBench-AA",
        "source_url": "https://huggingface.co/datasets/ArtificialAnalysis/ITBench-AA",
        "licence": "CC-BY-4.0",
        "version": COMMIT,
    }


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("owner/missing", "main", None), "no such dataset on the hub"),
        (("owner/gated", "main", None), "accept its terms on the hub"),
        ((REPOSITORY, "v9", None), "no revision 'v9'; a branch, a tag or a commit expected"),
        (("not a name", "main", None), "a repository such as ArtificialAnalysis/ITBench-AA expected"),
        ((REPOSITORY, "main", {"scenario-99"}), "there is no scenario-99 at revision"),
    ],
)
def test_what_cannot_be_downloaded_is_said_in_a_sentence(hub, tmp_path, asked, sentence):
    with pytest.raises(HubError, match=sentence) as caught:
        download(*asked, tmp_path / "hub", hub.endpoint)
    assert "\n" not in str(caught.value)


def test_a_hub_that_is_away_is_said_in_a_sentence_even_with_a_half_filled_folder(hub, tmp_path):
    download(REPOSITORY, "main", {"scenario-1"}, tmp_path / "hub", hub.endpoint)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(HubError, match="the hub could not be read"):
            download(REPOSITORY, COMMIT, None, tmp_path / "hub", endpoint)
