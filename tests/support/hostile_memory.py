"""Verifies hostile documents in a process of its own and prints by how much that process grew."""

import gc
import sys
from pathlib import Path

from tests.support.hostile_xml import hostile_documents
from tests.support.saml_documents import NOW, document, expectation, octets
from vestibule.saml.errors import SamlError
from vestibule.saml.response import verify_response


def verify_all(documents: list[bytes], times: int) -> int:
    """Verify each document `times` times; return how many were refused."""
    wanted = expectation()
    refused = 0
    for _ in range(times):
        for data in documents:
            try:
                verify_response(data, wanted, now=NOW)
            except SamlError:
                refused += 1
    return refused


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def main(times: int) -> None:
    """Print how many documents were refused, and by how many bytes memory grew meanwhile."""
    good = octets(document())
    documents = [good, *(data for data, _ in hostile_documents(good.decode()).values())]
    verify_all(documents, times // 10 + 1)
    before = resident()
    refused = verify_all(documents, times)
    sys.stdout.write(f"{refused} {resident() - before}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
