"""The fields that every HPACK peer knows (RFC 7541 appendix A). Pure."""

from __future__ import annotations

from typing import Final

# RFC 7541 appendix A, in its order: names with their values.
_STATIC_TEXT: Final = """:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http
:scheme=https|:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500
accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept
access-control-allow-origin|age|allow|authorization|cache-control|content-disposition
content-encoding|content-language|content-length|content-location|content-range|content-type|cookie
date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range
if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization
range|referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding
user-agent|vary|via|www-authenticate"""
STATIC: Final[tuple[tuple[bytes, bytes], ...]] = tuple(
    (name.encode(), value.encode())
    for name, _, value in (
        entry.partition("=") for entry in _STATIC_TEXT.replace("\n", "|").split("|")
    )
)
STATIC_ENTRIES: Final = len(STATIC)
STATIC_NAMES: Final = {name: place for place, (name, _) in reversed([*enumerate(STATIC, 1)])}
STATIC_FIELDS: Final = {field: place for place, field in reversed([*enumerate(STATIC, 1)])}
