"""The page at `/`, and the files that it is made of."""

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.web.files import FRONT_PAGE, page_files, page_policy

router = APIRouter(include_in_schema=False)

_METHODS = ["GET", "HEAD"]


@router.api_route("/", methods=_METHODS)
async def show_page(request: Request) -> Response:
    """Show the page."""
    return _send(request, FRONT_PAGE)


@router.api_route("/web/{path:path}", methods=_METHODS)
async def send_file(request: Request, path: str) -> Response:
    """Send a file of the page."""
    return _send(request, path)


def _send(request: Request, name: str) -> Response:
    """Return a file, or 304 where the browser has it already."""
    found = page_files().get(name)
    if found is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": "no-cache",  # kept, but asked for anew: an upgrade shows at once
        "Content-Security-Policy": page_policy(),
        "ETag": found.etag,
        "Vary": "Accept-Encoding",
    }
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = found.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = found.gzipped
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=found.media_type, headers=headers)
