"""Why a file is refused: one class for each reason, raised here or in the child process that reads the file."""

from core.errors import N_, DomainError


class Refused(DomainError):
    """The file can't be taken as it is."""

    field = "file"


class HiddenCharacter(Refused):
    """The name holds a control or bidirectional character, which can hide what the file is."""

    message = N_("The name of this file holds an invisible character. Rename the file and choose it again.")


class MissingExtension(Refused):
    """The name says no type."""

    message = N_("The name of this file has no extension. Choose a PDF, JPEG or PNG file.")


class WrongExtension(Refused):
    """The last extension of the name is none of ours."""

    message = N_("Only PDF, JPEG and PNG files can be added. Save the document as one of these.")


class TooBig(Refused):
    """The file is over the limit."""

    message = N_("This file is larger than {limit_mb} MB. Save it smaller and choose it again.")


class ContentMismatch(Refused):
    """The bytes are not of the type that the extension names."""

    message = N_(
        "The content of this file is not what its extension says. Open it, save it again as PDF, JPEG or PNG, and choose that file."
    )


class BytesAround(Refused):
    """Something stands before the start or after the end of a PDF."""

    message = N_("This PDF holds data before its beginning or after its end. Print it to a new PDF and choose that file.")


class Damaged(Refused):
    """The file does not read to its end, strictly."""

    message = N_("This file is damaged or incomplete. Scan or save it again.")


class NoPage(Refused):
    """A PDF without any page."""

    message = N_("This PDF has no page. Save the document again.")


class TooManyPages(Refused):
    """A PDF over the limit of pages."""

    message = N_("This PDF has more than {limit} pages. Send only the pages that are needed.")


class TooManyPixels(Refused):
    """An image over the limit, known from its header before anything is decoded."""

    message = N_("This image is larger than {limit_mpx} megapixels or {limit_side} pixels on a side. Save it smaller.")


class InflatesTooFar(Refused):
    """A PDF that is far larger unpacked than on disk."""

    message = N_("This PDF unpacks to more than {limit_mb} MB. Print it to a new PDF in a lower quality.")


class TooHeavy(Refused):
    """Reading the file takes more time or memory than any ordinary file needs."""

    message = N_("This file takes too long to check. Save it smaller or in a simpler form.")


class Encrypted(Refused):
    """A PDF that can't be inspected."""

    message = N_("This PDF is protected by a password. Save it without protection and choose that file.")


class ActiveContent(Refused):
    """A PDF that does something by itself: a script, a launched program, a form that sends."""

    message = N_("This PDF holds a script or an automatic action. Print it to a new PDF and choose that file.")


class AttachmentInside(Refused):
    """A PDF that carries other files."""

    message = N_("This PDF holds other files inside. Print it to a new PDF and choose that file.")
