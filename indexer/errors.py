"""Every error that medsearch raises on purpose.

Each says what happened, where, and what to do about it (`remedy`); each leaf also inherits the
built-in exception that a caller who does not know medsearch would catch.

    MedsearchError
    ├── BadRecordError (ValueError)              one row of a dataset cannot be read
    ├── DatasetNotFoundError (FileNotFoundError) a dataset's files are not where they should be
    ├── DatasetEmptyError (ValueError)           nothing of a dataset could be read
    ├── FetchError (RuntimeError)                a dataset cannot be fetched
    │   ├── SourceUnreachableError (ConnectionError)  no answer: offline, refused, timed out
    │   ├── SourceFailedError                    an answer, but not what was asked for
    │   ├── AccessDeniedError (PermissionError)  an account, a key, an accepted licence is needed
    │   ├── DamagedDownloadError (ValueError)    bytes differ from what the source vouches for
    │   └── DownloadIncompleteError              some pieces could not be had
    ├── UnknownNameError (LookupError)           no dataset, encoder, index, field ... of that name
    ├── DecodeError (ValueError)                 bytes that are not a readable image
    │   ├── NotAnImageError                      a DICOM object without pixels (SEG, SR ...)
    │   └── LimitExceededError                   larger than the stated limits allow
    ├── EncoderError (RuntimeError)              a model cannot be loaded or used as asked
    │   ├── EncoderUnavailableError (FileNotFoundError)  its weights are not on this machine
    │   └── EncoderMismatchError (ValueError)    an index was built with another encoder
    ├── StoreError (RuntimeError)
    │   ├── IndexNotFoundError (FileNotFoundError)   no published build of that name
    │   ├── MapNotFoundError (LookupError)           a build without a map
    │   ├── CorruptBuildError (ValueError)           bytes differ from what the manifest vouches for
    │   ├── BuildLockedError                         another build of the same index is running
    │   └── ReconciliationError                      rows read != indexed + duplicates + rejected
    ├── PacsError (OSError)                      a PACS cannot be mirrored
    │   ├── PacsUnreachableError (ConnectionError)   it is away, slow, or not trusted
    │   ├── PacsAccessError (PermissionError)        it refuses this user, or may not be asked
    │   ├── PacsProtocolError (ValueError)           what answers speaks no DICOMweb
    │   └── MirrorError                              the mirror's folder cannot be used as asked
    ├── QueryError (ValueError)                  a query that cannot be answered as it stands
    │   └── RecordNotFoundError (LookupError)    no record of that id
    ├── ReplayError (RuntimeError)               a repeated search found something else
    └── ListenError (OSError)                    the service cannot have its address
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MedsearchError(Exception):
    """Base of all errors raised on purpose; `message` says what and where, `remedy` what to do."""

    code = "error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class BadRecordError(MedsearchError, ValueError):
    """One row cannot be read; `path` is relative to the dataset's root, `line` counts from 1."""

    code = "bad_record"

    def __init__(self, path: str, line: int | None, reason: str) -> None:
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


class DatasetNotFoundError(MedsearchError, FileNotFoundError):
    """A dataset's files are not where they were looked for."""

    code = "dataset_not_found"


class DatasetEmptyError(MedsearchError, ValueError):
    """Files are there, but not one record could be read from them."""

    code = "dataset_empty"


class FetchError(MedsearchError, RuntimeError):
    """A dataset cannot be fetched; what was finished is kept, and the same command goes on."""

    code = "fetch_failed"


class SourceUnreachableError(FetchError, ConnectionError):
    """No answer: offline, a wrong address, a refused connection, a wait that was too long."""

    code = "source_unreachable"


class SourceFailedError(FetchError):
    """The source answered, but not with what was asked for; `status` is HTTP's, if it is that."""

    code = "source_failed"

    def __init__(self, message: str, *, remedy: str = "", status: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class AccessDeniedError(FetchError, PermissionError):
    """The source wants an account, a key or an accepted licence."""

    code = "access_denied"


class DamagedDownloadError(FetchError, ValueError):
    """What came is not what the source vouches for, or would not be safe to unpack."""

    code = "damaged_download"


class DownloadIncompleteError(FetchError):
    """Some pieces could not be had; the others are kept."""

    code = "download_incomplete"


class WeakKeyError(MedsearchError, ValueError):
    """A key for pseudonyms that could be guessed."""

    code = "weak_key"


class UnknownNameError(MedsearchError, LookupError):
    """No thing of that kind has that name; the remedy suggests the nearest, lists the valid."""

    code = "unknown_name"

    def __init__(self, kind: str, name: str, known: "Iterable[str]") -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        super().__init__(
            f"There is no {kind} named {name!r}.",
            remedy=f"{hint}Known: {', '.join(names) or 'none'}.",
        )
        self.kind = kind
        self.name = name
        self.known = names


class DecodeError(MedsearchError, ValueError):
    """Bytes that are not a readable image, or that contradict themselves."""

    code = "undecodable"

    def __init__(self, message: str, *, remedy: str = "Send the whole file, or another.") -> None:
        super().__init__(message, remedy=remedy)


class NotAnImageError(DecodeError):
    """A well-formed DICOM object that has no pixels to show (SEG, SR, RTSTRUCT, waveform ...)."""

    code = "not_an_image"


class LimitExceededError(DecodeError):
    """Larger than the stated limits allow: bytes, pixels, frames or time."""

    code = "limit_exceeded"


class EncoderError(MedsearchError, RuntimeError):
    """A model cannot be loaded or used as asked."""

    code = "encoder_error"


class EncoderUnavailableError(EncoderError, FileNotFoundError):
    """A model's weights are not on this machine; the remedy names the command that fetches them."""

    code = "encoder_unavailable"


class EncoderMismatchError(EncoderError, ValueError):
    """An index was built with another encoder than the one that would read it."""

    code = "encoder_mismatch"


class StoreError(MedsearchError, RuntimeError):
    """An index cannot be written or read."""

    code = "store_error"


class IndexNotFoundError(StoreError, FileNotFoundError):
    """No published build of an index of that name."""

    code = "index_not_found"


class MapNotFoundError(StoreError, LookupError):
    """A build has no map: it is older than maps, or nothing of it is embedded."""

    code = "map_not_found"


class CorruptBuildError(StoreError, ValueError):
    """A build's bytes differ from what its manifest vouches for."""

    code = "corrupt_build"


class BuildLockedError(StoreError):
    """Another build of the same index is running."""

    code = "build_locked"


class ReconciliationError(StoreError):
    """Rows read do not equal records indexed + duplicates + rejects."""

    code = "reconciliation"


class TargetOccupiedError(MedsearchError, FileExistsError):
    """Something lies where output was to be written that must not be overwritten."""

    code = "target_occupied"


class PacsError(MedsearchError, OSError):
    """A PACS cannot be mirrored."""

    code = "pacs_error"


class PacsUnreachableError(PacsError, ConnectionError):
    """The PACS is away, too slow, or its certificate is not trusted."""

    code = "pacs_unreachable"


class PacsAccessError(PacsError, PermissionError):
    """The PACS refuses this user, or must not be asked like this."""

    code = "pacs_access"


class PacsProtocolError(PacsError, ValueError):
    """What answers at the address does not speak DICOMweb."""

    code = "pacs_protocol"


class MirrorError(PacsError):
    """The folder of a mirror is in use, belongs to another PACS, or lies in the wrong place."""

    code = "mirror_error"


class QueryError(MedsearchError, ValueError):
    """A query that cannot be answered as it stands."""

    code = "bad_query"


class RecordNotFoundError(QueryError, LookupError):
    """No record of that id in any index that was searched."""

    code = "record_not_found"


class ReplayError(MedsearchError, RuntimeError):
    """A search that was repeated from its receipt ran on something else, or found other hits."""

    code = "replay_differs"


class ListenError(MedsearchError, OSError):
    """The service cannot have the address that it was told to listen on."""

    code = "cannot_listen"
