"""A visitor of the running site: asks for pages over HTTP, keeps cookies, reads what a page says."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html import unescape
from http.cookiejar import CookieJar

TIMEOUT_S = 30
CSRF_FIELD = "csrfmiddlewaretoken"


@dataclass(frozen=True)
class Answer:
    status: int
    url: str  # after redirects
    headers: dict[str, str]  # names in lower case
    body: str

    @property
    def text(self) -> str:
        """What a reader sees of an HTML page: no tags, one space between words."""
        return as_text(self.body)

    def row_about(self, link: str) -> str:
        """Return the text of the table row that links to an address, or "" when there is none."""
        rows = re.findall(r"<tr\b.*?</tr>", self.body, re.DOTALL)
        return next((as_text(row) for row in rows if f'href="{link}"' in row), "")

    def addresses(self, start: str) -> list[str]:
        """Return the addresses that the page links to or loads, of those that begin with `start`."""
        found = re.findall(r'(?:href|src)="([^"]+)"', self.body)
        return sorted({unescape(address) for address in found if address.startswith(start)})


def as_text(html: str) -> str:
    visible = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", visible)).split())


class Visitor:
    def __init__(self, site: str) -> None:
        self.site = site
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self.site + path))

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        """Post a form as a browser does: with the token of the cookie, from a page of the site."""
        token = next((cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken"), "")
        body = urllib.parse.urlencode({**fields, CSRF_FIELD: token}).encode()
        headers = {"Referer": self.site + path, "Origin": self.site}
        return self._ask(urllib.request.Request(self.site + path, data=body, headers=headers))

    def sign_in(self, name: str, password: str) -> Answer:
        self.get("/admin/login/")
        return self.post("/admin/login/?next=/admin/", {"username": name, "password": password})

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                return answer_of(response.status, response)
        except urllib.error.HTTPError as problem:
            with problem:
                return answer_of(problem.code, problem)


def answer_of(status: int, response: urllib.request._UrlopenRet) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status, response.url, headers, response.read().decode("utf-8", errors="replace"))
