"""Why an image file cannot be judged: it is damaged, not of a kind that is read, or too large or small."""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.template import Template

EMPTY: Final = Template("the image file is empty: take the photograph again")
FILE_TOO_LARGE: Final = Template("the image file is too large: {size:,} bytes, at most {most:,}")
TOO_MANY_PIXELS: Final = Template("the image is too large: {width:d}×{height:d}, at most {most:,} pixels")
FAR_TOO_MANY_PIXELS: Final = Template("the image is too large: more than {most:,} pixels")
ANOTHER_IMAGE: Final = Template("the image {key} is not the one that was captured: its SHA-256 is {digest}")

# A part is missing. The problem is one of those below.
HALF: Final = Template(
    "the image file is damaged or cut short ({problem:reason}): hand it in again when it is written in full, "
    "or take the photograph again"
)
NO_BYTES: Final = Template("the file is empty")
ONLY_ZEROS: Final = Template("the file has nothing but zero bytes")
BEGINS_WITH_ZEROS: Final = Template("the file begins with zero bytes, where its format would stand")
HOLES: Final = Template("parts of the file were never written")
PNG_CHECKSUM: Final = Template("a part of the PNG is not what its checksum says")
PNG_ENDS: Final = Template("the PNG ends before its last part")
BMP_ENDS: Final = Template("the BMP ends in its header")
BMP_SHORT: Final = Template("the BMP has {size:,} of the {whole:,} bytes that its header tells")
TIFF_NOT_WRITTEN: Final = Template("the TIFF's directory is not written yet")
TIFF_UNREADABLE: Final = Template("the TIFF's directory cannot be read")
TIFF_PART_NOT_WRITTEN: Final = Template("a part of the TIFF was never written")
TIFF_SHORT: Final = Template("the TIFF has {size:,} of the {whole:,} bytes that its directory tells")
TIFF_PARTS_OVERLAP: Final = Template("two parts of the TIFF are said to be in one place of the file")
TIFF_JPEG: Final = Template("in a strip or tile of the TIFF, {problem:reason}")
JPEG_SEGMENT: Final = Template("a segment of the JPEG is shorter than it must be")
JPEG_ENDS: Final = Template("the JPEG ends before its end marker")
JPEG_SCANS: Final = Template("scans of the JPEG are missing")
JPEG_NOT_WRITTEN: Final = Template("a part of the JPEG was never written")
JPEG_SHORT: Final = Template("the JPEG has {parts:,} of its {whole:,} parts")
JPEG_DISORDER: Final = Template("parts of the JPEG are out of their order")
ROWS_NOT_WRITTEN: Final = Template("some of its rows were never written")
OVERWRITTEN: Final = Template("a part of its data was overwritten")
STOPS_IN_A_ROW: Final = Template("it stops within a row, and the rest has one colour")
PIXELS_NOT_SENT: Final = Template("some of its pixels were never sent")
NOT_DECODED: Final = Template("it cannot be decoded to its end")
HEADER_UNREADABLE: Final = Template("its header cannot be read")

# A part may be missing: nobody can tell.
PLAIN_PART: Final = Template(
    "a part of the image has one colour from one side to the other: a bar, or it was never written: look whether the "
    "photograph is whole; of a camera that draws a bar give the pocket's region without it"
)
REPEATED_PART: Final = Template(
    "the same pixels come again and again in the image, as where picture is missing: look whether the photograph is "
    "whole; of a camera that fills up its images give the pocket's region without that part"
)
RECTANGLE: Final = Template(
    "a rectangle of the image has one colour up to its very sides: a part of the sensor or a tile is missing, or it "
    "was drawn: look whether the photograph is whole; of a camera that draws into its images give the pocket's region "
    "without it"
)
LOST_LINES: Final = Template(
    "lines of the image have one colour, between others that do not: a part of what the camera sent was lost: look at "
    "its cable and its network, and take the photograph again"
)

# It holds more than one photograph.
MORE_ROWS: Final = Template(
    "the file holds {size:,} bytes behind the {width:d}×{height:d} pixels of its header, as if it had more rows: "
    "hand in one file a photograph"
)
SEVERAL: Final = Template(
    "the file holds {pictures:d} pictures, and only the first would be judged: hand in one file a photograph"
)
SEVERAL_OF: Final = Template(
    "the file holds {pictures:d} pictures, of {sizes:and}, and only the first would be judged: "
    "hand in one file a photograph"
)

# It would take its decoder out of all proportion.
ARITHMETIC: Final = Template(
    "the image is a JPEG with arithmetic coding, which no camera writes: save it as a plain JPEG"
)
SCANS: Final = Template("the image is made of more than {most:d} scans: save it again, as a plain JPEG")
RUN_LENGTHS: Final = Template("the image is a run-length encoded BMP: save it without compression")
FAX: Final = Template(
    "the image is a TIFF of the kind that faxes use, which no camera writes: save it as grey or in colour"
)
COMPRESSION: Final = Template("the image is a TIFF of the kind {compression}: save it with LZW or uncompressed")
TILES: Final = Template("the image is made of tiles of {width}×{height}, at most {most:,} pixels")

# Its values cannot be told.
VALUES_OF_32_BITS: Final = Template("the image has 32-bit values of an unknown range: save it with 8 or 16 bits")
BELOW_256: Final = Template(
    "the image has 16 bits a value, but all its values are below 256: nearly black, or 8 bits in a file of "
    "16: check the lamp, and save it with 8 bits"
)
PERHAPS_14_BITS: Final = Template(
    "the image's values use 14 of 16 bits: a camera of 14 bits, or a dim picture of 16, four times as dark as "
    "it was judged: let the camera write its depth into the file (PNG sBIT, TIFF MaxSampleValue), or 8 bits"
)
FLOATS: Final = Template(
    "the image has floating-point values from {low:g} to {high:g}, neither 0 to 1 nor 0 to 255: "
    "save it with 8 or 16 bits"
)
FEW_BITS: Final = Template(
    "the image's 16-bit values use few of their bits, and with transparency they cannot be read: "
    "save it with 8 bits, or without transparency"
)
TRANSPARENT: Final = Template(
    "the image is fully transparent and has no colours below that: save it without transparency (alpha)"
)
COLOURS: Final = Template(
    "the image has colours of the kind {mode}, which cannot be read: save it as grey or RGB with 8 bits"
)

# What is taken of it shows no insert.
NO_CONTOUR: Final = Template(
    "the model looks along the lower contour of an insert that was cut out on black, and there is none to be found: "
    "cut the background out as in the photographs that it learned from, or look at the insert yourself"
)
IMAGE_TOO_SMALL: Final = Template(
    "the image is too small: {width:d}×{height:d} pixels, at least {least:d} a side: "
    "photograph the insert so that it fills the image"
)
REGION_TOO_SMALL: Final = Template(
    "the region is too small: {width:d}×{height:d} pixels, at least {least:d} a side: "
    "photograph the insert so that it fills the image"
)
STRIP_TOO_SMALL: Final = Template(
    "the strip along the edge is too small: {length:d}×{height:d} pixels, at least {along:d} along and {across:d} "
    "across: declare a larger one, or photograph the insert larger"
)
IMAGE_TOO_LONG: Final = Template(
    "the image has the proportions of no insert: {width:d}×{height:d} pixels, one side at most {most:d} times the "
    "other: photograph the insert so that it fills the image"
)
REGION_TOO_LONG: Final = Template(
    "the region has the proportions of no insert: {width:d}×{height:d} pixels, one side at most {most:d} times the "
    "other: photograph the insert so that it fills the image"
)
REGION_OUTSIDE: Final = Template(
    "the region {width:d}×{height:d} at ({left}, {top}) is not inside the image of {all_width:d}×{all_height:d}"
)
STRIP_OUTSIDE: Final = Template(
    "the strip along the edge, in a box of {width:d}×{height:d} at ({left}, {top}) is not inside the image of "
    "{all_width:d}×{all_height:d}"
)
