import gc
import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sklearn_distill.datasets._files import VARIABLE, DataFile


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leave no data folder but an empty home, which is returned."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    return tmp_path / "home" / "sklearn_distill"


class Server:
    """Serve bytes by path on the loopback; `cut` sends that many of them less."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.cut = 0
        self.announces_length = True
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append(self.path)
                content = server.content.get(self.path)
                self.send_response(404 if content is None else 200)
                if server.announces_length:
                    self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write((content or b"")[: len(content or b"") - server.cut])

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()
    # pooch leaves the connection of a failed download to the collector: here, not in another test
    gc.collect()


@pytest.fixture
def put() -> Callable[..., DataFile]:
    """Write content under a folder of the layout; return the file's description."""

    def write(folder: Path, path: str, content: bytes, **extra: str) -> DataFile:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content) if path.endswith(".gz") else content)
        return DataFile(path, hashlib.sha256(content).hexdigest(), 100_000, **extra)

    return write
