import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import requests

from splitpose import bypass_proxy_on_loopback

LOOPBACK = "127.0.0.1,localhost,::1"


@pytest.mark.parametrize(
    ("environ", "no_proxy", "upper"),
    [
        ({}, LOOPBACK, LOOPBACK),
        ({"NO_PROXY": ".corp, 10.0.0.1"}, f".corp,10.0.0.1,{LOOPBACK}", f".corp,10.0.0.1,{LOOPBACK}"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, f"a,{LOOPBACK}", f"b,{LOOPBACK}"),
        ({"no_proxy": "", "NO_PROXY": "b"}, f"b,{LOOPBACK}", f"b,{LOOPBACK}"),
        ({"no_proxy": "localhost"}, "localhost,127.0.0.1,::1", "localhost,127.0.0.1,::1"),
    ],
)
def test_loopback_is_added_to_the_hosts_without_proxy(environ, no_proxy, upper):
    for _ in range(2):  # a child process does it again
        bypass_proxy_on_loopback(environ)
        assert environ == {"no_proxy": no_proxy, "NO_PROXY": upper}


def test_a_star_is_kept_because_clients_recognise_it_only_alone():
    environ = {"NO_PROXY": "*"}
    bypass_proxy_on_loopback(environ)
    assert environ == {"NO_PROXY": "*"}


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{}", "socks5://127.0.0.1:{}"])
def test_no_client_asks_a_proxy_for_loopback(server, monkeypatch, host, proxy):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # no server listens
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.format(closed.getsockname()[1]))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "")
        environ = {}
        bypass_proxy_on_loopback(environ)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        url = f"http://{host}:{server}/"
        assert requests.get(url, timeout=5).ok
        assert httpx.get(url, timeout=5).is_success
        assert urllib.request.urlopen(url, timeout=5).status == 200
