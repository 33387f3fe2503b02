"""How both clients set up their connections."""

from typing import Any

DEFAULT_URL = "http://127.0.0.1:8000"


def settings_of(base_url: str, api_key: str | None, timeout_s: float) -> dict[str, Any]:
    """Return the settings that httpx's two clients share.

    Redirects are not followed: a key and an image go to the address that was given only.
    """
    headers = {"User-Agent": "medsearch-client/0.1.0"}
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    return {"base_url": base_url, "headers": headers, "timeout": timeout_s}
