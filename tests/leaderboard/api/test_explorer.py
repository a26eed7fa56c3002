"""The page to try the API works under the site's own policy."""

import re

import pytest


def test_the_page_loads_nothing_inline_and_nothing_from_elsewhere(client):
    html = client.get("/api/docs/").content.decode()
    for address in re.findall(r'(?:src|href)="([^"]*)"', html):
        assert address.startswith(("/", "#")), address
        assert not address.startswith("//"), address
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)


def test_its_script_has_an_address_of_its_own(client):
    page = client.get("/api/docs/")
    script = client.get(re.search(r'src="(/api/docs/\?[^"]*)"', page.content.decode())[1])
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/schema/" in script.content.decode()
    assert page["Content-Security-Policy"] == client.get("/healthz")["Content-Security-Policy"]


@pytest.mark.parametrize("query", ["lang=%22%3E%3Cscript%3E", "version=x", "script=%27"])
def test_its_address_puts_nothing_into_it(client, query):
    assert "<script>" not in client.get(f"/api/docs/?{query}").content.decode()
