"""Bytes that no HTTP library sends, to a server process as an operator runs it.

AD-08, AD-24, AD-27 and AD-47 from outside: every answer is a plain refusal, and behind it nothing
was done.
"""

import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.asgi import basic
from tests.support.server_process import free_port, run_to_end, serving

SECONDS: Final = 10.0
CREATE: Final = "POST /v1/b2b/organizations"
SEARCH: Final = "POST /v1/b2b/organizations/search"
POLICY: Final = "GET /v1/b2b/rbac/policy"
STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass(frozen=True)
class Server:
    """A process that listens, the credentials of its one project, and what it writes."""

    port: int
    project_id: str
    secret: str
    log: Path

    @property
    def authorization(self) -> bytes:
        return basic(self.project_id, self.secret).encode()

    def request(self, line: str, body: bytes, *headers: bytes, close: bool = True) -> bytes:
        """Return a request with the right credentials."""
        return b"\r\n".join(
            [
                f"{line} HTTP/1.1".encode(),
                b"Host: a",
                b"Authorization: " + self.authorization,
                b"Content-Type: application/json",
                *([b"Connection: close"] if close else []),
                *headers,
                b"",
                body,
            ]
        )

    def ask(self, data: bytes) -> bytes:
        """Send bytes and nothing after; return all that comes until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as opened:
            received = []
            sending = threading.Thread(target=_send, args=(opened, data))
            sending.start()
            try:
                while piece := opened.recv(65_536):
                    received.append(piece)
            except ConnectionResetError:
                pass
            finally:
                sending.join()
        return b"".join(received)

    def statuses(self, data: bytes) -> list[int]:
        return [int(each) for each in STATUS.findall(self.ask(data))]

    def organizations(self) -> int:
        """Count what was created."""
        answer = self.ask(self.request(SEARCH, b"{}", b"Content-Length: 2"))
        found = re.search(rb'"total":(\d+)', answer)
        assert found, answer
        return int(found[1])


def _send(opened: socket.socket, data: bytes) -> None:
    try:
        opened.sendall(data)
        opened.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The server has heard enough.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("serve"), free_port()
    environ = {
        "VESTIBULE_DATABASE": f"sqlite:{folder / 'vestibule.db'}",
        "VESTIBULE_BASE_URL": f"http://127.0.0.1:{port}",
        "VESTIBULE_MASTER_KEY_FILE": "master.key",
        # Guesses are limited, and that is tested elsewhere: each comes from another address.
        "VESTIBULE_TRUSTED_PROXIES": "127.0.0.1",
    }
    assert run_to_end(["migrate"], folder=folder, environ=environ)[0] == 0
    status, said = run_to_end(["project", "create", "Acme"], folder=folder, environ=environ)
    assert status == 0, said
    made = dict(line.split(maxsplit=1) for line in said.splitlines() if " " in line)
    with serving(folder, port=port, environ=environ):
        yield Server(port, made["project_id"], made["secret"], folder / "stderr.log")


@pytest.fixture(autouse=True)
def nothing_was_done(server: Server) -> Iterator[None]:
    """See after each test that the server lives, has done nothing and met no error of its own."""
    before = server.organizations()
    yield
    assert server.organizations() == before
    log = server.log.read_text()
    assert "request failed" not in log
    assert "Traceback" not in log


# Credentials -----------------------------------------------------------------------------------


def encoded(text: bytes) -> bytes:
    return b"Basic " + b64encode(text)


@pytest.mark.case("AD-08", verdict="refused", reason="unauthorized_credentials")
def test_credentials_of_any_shape_are_answered_with_401(server: Server) -> None:
    right, project_id, secret = server.authorization, server.project_id, server.secret
    user, password = project_id.encode(), secret.encode()
    shapes: list[list[bytes]] = [
        [],
        [b""],
        [b"Basic"],
        [b"Basic "],
        [b"Basic ="],
        [b"Basic \xff\xfe\xfd"],
        [b"\xff\xfe"],
        [b"Bearer " + right.partition(b" ")[2]],
        [right.partition(b" ")[2]],
        [right + b", " + right],
        [right + b"\x80"],
        [encoded(b"")],
        [encoded(b":")],
        [encoded(b":" + password)],
        [encoded(user + b":")],
        [encoded(user)],
        [encoded(user + password)],
        [encoded(user + b"::" + password)],
        [encoded(user + b":" + password + b":")],
        [encoded(b":" + user + b":" + password)],
        [encoded(user + b":" + password + b"\n")],
        [encoded(user + b"\0:" + password)],
        [encoded(b"\xff\xfe:\xc3\x28")],
        [encoded(user + b":\xff\xfe")],
        [encoded("\ufeff".encode() + user + b":" + password)],
        [encoded((project_id + ":" + secret).encode("utf-16"))],
        [encoded(b"x" * 10_000 + b":" + password)],
        [encoded(user + b":" + b"y" * 10_000)],
        [encoded(b":" * 10_000)],
        [right, right],
        [right, encoded(user + b":wrong")],
        [encoded(user + b":wrong"), right],
        [right, b""],
        [b"", right],
    ]
    for number, values in enumerate(shapes):
        lines = [b"Authorization: " + value for value in values]
        forwarded = f"X-Forwarded-For: 2001:db8:{number:x}::1".encode()
        head = [f"{POLICY} HTTP/1.1".encode(), b"Host: a", b"Connection: close", forwarded]
        answer = server.ask(b"\r\n".join([*head, *lines, b"", b""]))
        assert STATUS.findall(answer) == [b"401"], (values, answer)
        assert b'"error_type":"unauthorized_credentials"' in answer
    assert STATUS.findall(server.ask(server.request(POLICY, b""))) == [b"200"]


HEADERS: Final = (
    "Host",
    "Authorization",
    "Cookie",
    "Content-Type",
    "Content-Encoding",
    "User-Agent",
    "Accept",
    "Accept-Language",
    "Origin",
    "Referer",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Stytch-Member-Session",
    "X-Stytch-Member-SessionJWT",
    "Traceparent",
)


@pytest.mark.case("AD-08", verdict="holds")
def test_no_byte_in_a_header_is_too_much_for_the_server(server: Server) -> None:
    pages = ["/v1/public/sso/start?connection_id=x", "/v1/b2b/sso/callback/x", "/errors"]
    targets = [POLICY, "GET /v1/b2b/sso/acme", *(f"GET {page}" for page in pages)]
    for name in HEADERS:
        for value in (b"\xff\xfe", b"\x80" * 500, "\u00e9\U0001f6c2".encode(), b'"', b"=; ;;,"):
            for target in targets:
                line = b"%s: %s" % (name.encode(), value)
                data = server.request(target, b"", line)
                if name in {"Host", "Content-Type", "Authorization"}:
                    own = re.compile(rb"\r\n%s: [^\r]*" % name.encode())
                    data = own.sub(b"", data, count=1)
                statuses = server.statuses(data)
                assert len(statuses) == 1, (name, value, target)
                assert statuses[0] < 500, (name, value, target)


# JSON ------------------------------------------------------------------------------------------

TEXT: Final = '{"organization_name": "Bomb"%s}'


def with_more(more: str) -> bytes:
    return (TEXT % f", {more}").encode()


BOMBS: Final[dict[str, bytes]] = {
    "depth of arrays": with_more('"a": ' + "[" * 10_000 + "]" * 10_000),
    "depth of objects": with_more('"a": ' + '{"a":' * 10_000 + "1" + "}" * 10_000),
    "depth without an end": with_more('"a": ' + "[" * 100_000),
    "duplicate": with_more('"organization_name": "Two"'),
    "duplicate, written otherwise": with_more('"organization\\u005fname": "Two"'),
    "duplicate inside": with_more('"trusted_metadata": {"role": "user", "role": "admin"}'),
    "NaN": with_more('"a": NaN'),
    "Infinity": with_more('"a": -Infinity'),
    "1e999": with_more('"trusted_metadata": {"a": 1e999}'),
    "400 digits": with_more('"trusted_metadata": {"a": %s}' % ("9" * 400)),
    "10000 digits": with_more('"trusted_metadata": {"a": %s}' % ("9" * 10_000)),
    "leading zero": with_more('"trusted_metadata": {"a": 01}'),
    "lone surrogate": with_more('"trusted_metadata": {"a": "\\ud83d"}'),
    "lone surrogate, the other": with_more('"trusted_metadata": {"a": "\\udc00x"}'),
    "surrogates the wrong way round": with_more('"trusted_metadata": {"\\udc00\\ud83d": 1}'),
    "surrogate in UTF-8": with_more('"a": "x"').replace(b"x", b"\xed\xa0\xbd"),
    "overlong UTF-8": with_more('"a": "x"').replace(b"x", b"\xc0\xaf"),
    "NUL": with_more('"trusted_metadata": {"a": "\\u0000"}'),
    "BOM": b"\xef\xbb\xbf" + with_more('"a": 1'),
    "UTF-16 with BOM": with_more('"a": 1').decode().encode("utf-16"),
    "UTF-16": with_more('"a": 1').decode().encode("utf-16-le"),
    "UTF-32": with_more('"a": 1').decode().encode("utf-32"),
    "Latin-1": with_more('"a": "\u00e9"').decode().encode("latin-1"),
    "comment": with_more('"a": 1 /* */'),
    "two documents": with_more('"a": 1') * 2,
    "20 000 keys of metadata": with_more(
        '"trusted_metadata": {' + ", ".join(f'"{n}": 1' for n in range(20_000)) + "}"
    ),
}


@pytest.mark.case("AD-24", verdict="refused", reason="bad_request, metadata_too_many_keys")
def test_json_bombs_are_answered_with_400(server: Server) -> None:
    for name, body in BOMBS.items():
        length = f"Content-Length: {len(body)}".encode()
        answer = server.ask(server.request(CREATE, body, length))
        assert STATUS.findall(answer) == [b"400"], (name, answer[:300])
        kind = b"metadata_too_many_keys" if name.startswith("20 000") else b"bad_request"
        assert b'"error_type":"%s"' % kind in answer, name
        assert len(answer) < 2000, name


@pytest.mark.case("AD-24", verdict="refused", reason="bad_request")
def test_a_million_keys_are_more_than_a_body_may_have(server: Server) -> None:
    keys = ", ".join(f'"{number}": 1' for number in range(1_000_000))
    body = with_more(keys)
    for framing in (
        server.request(CREATE, body, f"Content-Length: {len(body)}".encode()),
        server.request(
            CREATE, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), b"Transfer-Encoding: chunked"
        ),
    ):
        # Whoever sends on after the answer may lose it: it is a refusal in any case.
        assert server.statuses(framing) in ([413], [])


# Framing ---------------------------------------------------------------------------------------

CHUNKED: Final = b"Transfer-Encoding: chunked"
END: Final = b"0\r\n\r\n"
# What stands behind the headers of a search is, for one of two readers, a request of its own.
SMUGGLING: Final[dict[str, tuple[list[bytes], bytes]]] = {
    "CL and TE": ([b"Content-Length: 5", CHUNKED], END),
    "TE and CL": ([CHUNKED, b"Content-Length: 5"], END),
    "CL.TE with a remainder": ([b"Content-Length: 6", CHUNKED], END + b"G"),
    "CL twice": ([b"Content-Length: 2", b"Content-Length: 2"], b"{}"),
    "CL twice, different": ([b"Content-Length: 2", b"Content-Length: 0"], b"{}"),
    "CL twice, zero first": ([b"Content-Length: 0", b"Content-Length: 2"], b"{}"),
    "CL list": ([b"Content-Length: 2, 2"], b"{}"),
    "CL with plus": ([b"Content-Length: +2"], b"{}"),
    "CL negative": ([b"Content-Length: -2"], b"{}"),
    "CL hexadecimal": ([b"Content-Length: 0x2"], b"{}"),
    "CL of two numbers": ([b"Content-Length: 2 2"], b"{}"),
    "CL empty": ([b"Content-Length: "], b"{}"),
    "CL beyond 64 bits": ([b"Content-Length: 36893488147419103234"], b"{}"),
    "CL with a space in its name": ([b"Content-Length : 2"], b"{}"),
    "TE with a space in its name": ([b"Transfer-Encoding : chunked"], END),
    "TE twice": ([CHUNKED, CHUNKED], END),
    "TE twice, different": ([CHUNKED, b"Transfer-Encoding: identity"], END),
    "TE list": ([b"Transfer-Encoding: identity, chunked"], END),
    "TE chunked first": ([b"Transfer-Encoding: chunked, identity"], END),
    "TE gzip": ([b"Transfer-Encoding: gzip, chunked"], END),
    "TE unknown": ([b"Transfer-Encoding: xchunked"], END),
    "TE quoted": ([b'Transfer-Encoding: "chunked"'], END),
    "TE with a vertical tab": ([b"Transfer-Encoding: \x0bchunked"], END),
    "TE with a NUL": ([b"Transfer-Encoding: chunked\0"], END),
    "obs-fold": ([b"X: a\r\n b", b"Content-Length: 2"], b"{}"),
    "obs-fold with a tab": ([b"X: a\r\n\tb", b"Content-Length: 2"], b"{}"),
    "obs-fold of TE": ([b"Transfer-Encoding:\r\n chunked"], END),
    "obs-fold of CL": ([b"Content-Length:\r\n 2"], b"{}"),
    "bare LF": ([b"X: a\nContent-Length: 2"], b"{}"),
    "bare LF hides a header": ([b"X: a\nContent-Length: 0", b"Content-Length: 2"], b"{}"),
    "bare CR": ([b"X: a\rContent-Length: 0", b"Content-Length: 2"], b"{}"),
    "NUL in a value": ([b"X: a\0b", b"Content-Length: 2"], b"{}"),
    "NUL in a name": ([b"X\0: a", b"Content-Length: 2"], b"{}"),
    "no colon": ([b"X", b"Content-Length: 2"], b"{}"),
    "two hosts": ([b"Host: b", b"Content-Length: 2"], b"{}"),
}
CHUNKS: Final = {
    "size with 0x": b"0x2\r\n{}\r\n",
    "size negative": b"-2\r\n{}\r\n",
    "size beyond 64 bits": b"fffffffffffffffff2\r\n{}\r\n",
    "size ends in LF": b"2\n{}\r\n",
    "extension ends in LF": b"2;a\n{}\r\n",
    "space after the size": b"2 \r\n{}\r\n",
    "no end": b"2\r\n{}",
    "more than announced": b"2\r\n{}x\r\n",
}
LINES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "all lines end in LF": lambda data: data.replace(b"\r\n", b"\n"),
    "headers end in LF": lambda data: data.replace(b"\r\n\r\n{}", b"\r\n\n{}"),
    "first header folded": lambda data: data.replace(b"\r\nHost", b"\r\n Host"),
    "no host": lambda data: data.replace(b"Host: a\r\n", b""),
    "HTTP/2.0": lambda data: data.replace(b"HTTP/1.1", b"HTTP/2.0"),
    "HTTP/1.2": lambda data: data.replace(b"HTTP/1.1", b"HTTP/1.2"),
    "space in the target": lambda data: data.replace(b"search HTTP", b"search x HTTP"),
    "preface of HTTP/2": lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


def smuggled(server: Server) -> bytes:
    """Return the request that must not be found in another one."""
    body = b'{"organization_name": "Smuggled"}'
    return server.request(CREATE, body, f"Content-Length: {len(body)}".encode())


@pytest.mark.case("AD-27")
def test_a_request_that_two_could_read_differently_is_answered_with_400(server: Server) -> None:
    inner = smuggled(server)
    for name, (headers, body) in SMUGGLING.items():
        data = server.request(SEARCH, body, *headers, close=False)
        assert server.statuses(data + inner) == [400], name
    for name, change in LINES.items():
        plain = server.request(SEARCH, b"{}", b"Content-Length: 2", close=False)
        assert change(plain) != plain, name
        assert server.statuses(change(plain) + inner) == [400], name
    # HTTP/1.0 knows no chunks: who speaks it takes the body for what comes until the end.
    chunked = server.request(SEARCH, END, CHUNKED, b"Connection: keep-alive", close=False)
    assert server.statuses(chunked.replace(b"HTTP/1.1", b"HTTP/1.0") + inner) == [400]


@pytest.mark.case("AD-27")
def test_after_a_malformed_chunk_nothing_more_is_read(server: Server) -> None:
    """The head was good and is being answered: the connection ends without another word."""
    inner = smuggled(server)
    for name, chunk in CHUNKS.items():
        data = server.request(SEARCH, chunk + END, CHUNKED, close=False)
        assert server.statuses(data + inner) in ([], [400]), name


@pytest.mark.case("AD-27", verdict="accepted")
def test_what_stands_in_a_body_is_no_request(server: Server) -> None:
    inner = smuggled(server)
    length = f"Content-Length: {len(inner)}".encode()
    assert server.statuses(server.request(POLICY, inner, length)) == [200]
    assert server.statuses(server.request(SEARCH, inner, length)) == [400]
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner)
    assert server.statuses(server.request(SEARCH, chunked, CHUNKED)) == [400]
    upgrade = [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"]
    asked = server.request(SEARCH, b"{}", b"Content-Length: 2", *upgrade)
    assert server.statuses(asked) == [200]


# Paths -----------------------------------------------------------------------------------------


@pytest.mark.case("AD-47", verdict="refused")
def test_no_target_leads_out_of_what_is_served(server: Server) -> None:
    for target in (
        "/assets/../../../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/settings.py",
        "/assets/..%5c..%5csettings.py",
        "/assets/..%c0%af..%c0%afsettings.py",
        "/assets/%252e%252e%252fsettings.py",
        "/assets/vestibule.css%00.py",
        "/assets/vestibule.css;x",
        "/assets//vestibule.css",
        "/assets/",
        "//etc/passwd",
        "/v1/public/sso/metadata/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/v1/public/sso/metadata/../../../../errors",
        "/v1/b2b/organizations/..%2fsearch",
        "/v1/b2b/organizations/acme;a=b",
        "http://a/etc/passwd",
        "file:///etc/passwd",
    ):
        answer = server.ask(server.request(f"GET {target}", b""))
        assert STATUS.findall(answer) in ([b"404"], [b"400"]), (target, answer[:300])
        assert b"root:" not in answer
    assert server.statuses(server.request("GET /assets/vestibule.css", b"")) == [200]
