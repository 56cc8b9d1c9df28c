"""Download a file of at most a given size."""

from typing import Any, BinaryIO

import pooch


def download(url: str, file: BinaryIO, max_bytes: int) -> None:
    """Write what an address holds to a file, with a progress bar.

    Parameters
    ----------
    url : str
        The address.
    file : binary file
        An open file.
    max_bytes : int
        The size at most.

    Raises
    ------
    OSError
        If there is no answer, or it announces or has more bytes. No more of them were written.
    """
    responses: list[Any] = []

    def check_announced(response: Any, **_: Any) -> None:
        responses.append(response)
        announced = response.headers.get("Content-Length", "")
        if response.ok and announced.isdigit() and int(announced) > max_bytes:
            raise OSError(f"the server announces {announced} bytes, more than the {max_bytes}")

    fetch = pooch.HTTPDownloader(
        progressbar=True,
        chunk_size=2**16,
        timeout=60,
        hooks={"response": check_announced},
        headers={"Accept-Encoding": "identity"},  # the bytes on the wire are those of the file
    )
    try:
        fetch(url, _Bounded(file, max_bytes), None)
    finally:
        for response in responses:  # of a failed download, pooch leaves the connection open
            response.close()


class _Bounded:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        self.file = file
        self.max_bytes = max_bytes

    def write(self, content: bytes) -> int:
        if self.file.tell() + len(content) > self.max_bytes:
            raise OSError(f"the server sends more than {self.max_bytes} bytes")
        return self.file.write(content)

    def flush(self) -> None:
        self.file.flush()
