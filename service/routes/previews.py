"""What the service sees in an upload, for people who hold files that browsers do not show."""

import base64
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.decoding import Preview
from service.json_response import dump_json
from service.reply_schemas import PreviewReply
from service.routes.access import IMAGE_ERRORS, service_of
from service.routes.examples import PREVIEW_EXAMPLES
from service.routes.uploads import describe_body, read_body
from service.schemas import PreviewBody, PreviewOptions, decode_file

router = APIRouter(tags=["search"])

_BODY = describe_body(PreviewOptions, '{"window": "lung"}', PreviewBody, PREVIEW_EXAMPLES)


@router.post(
    "/v1/previews", response_model=PreviewReply, responses=IMAGE_ERRORS, openapi_extra=_BODY
)
async def preview_image(request: Request) -> Response:
    """Show how a file, or those of a series, are read: upright, windowed, small, no metadata."""
    service = service_of(request)
    preview = service.opened.preview
    body = await read_body(request, PreviewOptions, PreviewBody)

    def look() -> bytes:
        if isinstance(body, PreviewBody):
            return _write(preview([decode_file(body.image_base64, "image_base64")], body.window))
        files, options = body
        return _write(preview(files, options.window))

    return Response(await service.run(look), media_type="application/json")


def _write(seen: Preview) -> bytes:
    slices: list[dict[str, Any]] = [
        {
            "jpeg_base64": base64.b64encode(one.jpeg).decode(),
            "width_px": one.width_px,
            "height_px": one.height_px,
            "slice_number": one.slice_number,
        }
        for one in seen.slices
    ]
    return dump_json({"slices": slices, "images": seen.images, "windows": seen.windows})
