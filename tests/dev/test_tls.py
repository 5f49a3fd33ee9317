import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import requests
from cryptography import x509
from playwright.async_api import async_playwright
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.dev.serving import serving
from vestibule.clock import DAY
from vestibule.dev.client import open_session
from vestibule.dev.tls import TlsFiles, local_authority

# The clients look at the machine's clock; the certificate's notBefore is a day before this.
NOW = 1_763_856_000_000_000
