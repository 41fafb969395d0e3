import FxferProtocol
import Glibc

extension FxferError {
    /// The error of a file call on the receiver's side: "cannot create 'a/b': No space left on device".
    static func receiving(_ operation: String, _ path: RelativePath, _ error: Errno) -> FxferError {
        FxferError(error.receiverCode, "cannot \(operation) '\(path)': \(error)", cause: error)
    }

    /// What stands in the way of `path` is not what was sent.
    static func taken(_ path: RelativePath, by kind: FileKind) -> FxferError {
        switch kind {
        case .regular:
            FxferError(.exists, "'\(path)' exists with other content; remove it or choose another name")
        default:
            FxferError(.exists, "'\(path)' exists and is \(kind.rawValue); remove it or choose another name")
        }
    }
}

/// Runs file calls of the receiver's side and tells a failed one as a failure of `operation` on `path`.
///
/// An ``FxferProtocol/FxferError`` that `body` throws itself passes as it is.
func receiving<Result: ~Copyable>(
    _ operation: String,
    _ path: RelativePath,
    _ body: () throws -> Result
) throws(FxferError) -> Result {
    do {
        return try body()
    } catch let error as FxferError {
        throw error
    } catch let error as Errno {
        throw .receiving(operation, path, error)
    } catch {
        throw FxferError(.internal, "cannot \(operation) '\(path)'", cause: error)
    }
}

extension FxferError {
    /// Whether the disk did not give what is on it (EIO): a part of it has failed, or a file system with checksums of its
    /// own found what it has to be another.
    var isDiskError: Bool { (self.cause as? Errno)?.number == EIO }
}

extension Errno {
    /// The kind of failure that the sender is told.
    var receiverCode: FxferError.Code {
        switch self.number {
        case ENOSPC, EDQUOT: .noSpace
        case EEXIST: .exists
        case EACCES, EPERM, EROFS, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV: .cannotCreate
        case EFBIG: .tooLarge
        case EMFILE, ENFILE, ENOMEM: .busy
        default: .io
        }
    }
}
