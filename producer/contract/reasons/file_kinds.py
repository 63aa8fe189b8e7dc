"""Why a file is no photograph that is read: what it is instead, and what to do."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

NO_IMAGE: Final = Template("this is no image that can be read ({formats:or}): save it anew as one of these")
ANOTHER_KIND: Final = Template("this is no image that can be read, but {what:reason}: {do:reason}")
RAW: Final = Template("the image is a camera's raw data, which is not read: {do:reason}")
PREVIEW: Final = Template("the TIFF begins with a preview, as raw data do, which is not judged: {do:reason}")

# What to do.
SAVE: Final = Template("save it as {formats:or}")
SAVE_ANEW: Final = Template("save it anew as a plain {format}")
SAVE_UNCOMPRESSED: Final = Template("save it uncompressed with 24 bits, or as PNG")
SAVE_GREY_OR_RGB: Final = Template("save it as grey or RGB of 8 or 16 bits, or PNG")
THE_ORIGINAL: Final = Template("hand in the original file again")
SET_THE_TELEPHONE: Final = Template("set the telephone to save JPEG (“most compatible”), or save it as {formats:or}")
SET_THE_CAMERA: Final = Template("set the camera to save JPEG or TIFF beside or instead of its raw data")
THE_PHOTOGRAPH_ITSELF: Final = Template("hand in the photograph itself")
UNPACK_ALL: Final = Template("unpack it, and hand in each photograph by itself")
UNPACK: Final = Template("unpack it first")
GIT_LFS_PULL: Final = Template("run `git lfs pull` where it is from")
FETCH_AGAIN: Final = Template("the download failed, or needs a login; fetch the photograph again")

# What it is. Where the name of a format is in the sentence, it is the same in every language.
BROKEN: Final = Template("a {format} of a kind that is not read, or its header is damaged")
IMAGE: Final = Template("a {format} image")
IMAGE_AN: Final = Template("an {format} image")
PHOTOGRAPH: Final = Template("a {format} photograph")
RAW_DATA: Final = Template("a camera's raw data ({format})")
DOCUMENT: Final = Template("a {format} document")
FILE: Final = Template("a {format} file")
FILE_AN: Final = Template("an {format} file")
ARCHIVE: Final = Template("a {format} archive")
ICON: Final = Template("an icon (ICO)")
ARRAY: Final = Template("a NumPy array")
POINTER: Final = Template("a pointer of Git LFS and not the photograph")
FILM: Final = Template("a film")
FILM_OR_SOUND: Final = Template("a film or sound")
DRAWING: Final = Template("a drawing (SVG)")
WEB_PAGE: Final = Template("a web page")
TEXT: Final = Template("text")

# Written by earlier versions, and stored.
BROKEN_PNG: Final = Template("a {format} whose header is damaged")
BROKEN_TIFF: Final = Template("a {format} of a kind that is not read, or damaged in its header")
