import FxferProtocol
import Glibc

/// The path by which the user named a source file, and what can be wrong with it.
struct SourceName: Sendable {
    let bytes: [UInt8]

    var text: String { EscapedText.escape(self.bytes) }

    func unreadable(_ error: Errno, _ code: FxferError.Code) -> FxferError {
        FxferError(code, "cannot read '\(self.text)': \(error)", cause: error)
    }

    func missing() -> FxferError {
        FxferError(.noInput, "'\(self.text)' does not exist")
    }

    func notRegular(_ kind: FileKind) -> FxferError {
        let hint = kind == .folder ? ", not a file" : "; only files and folders can be sent"
        return FxferError(.noInput, "'\(self.text)' is \(kind.rawValue)\(hint)")
    }

    func changed() -> FxferError {
        FxferError(.sourceChanged, "'\(self.text)' was changed while it was sent; send it again")
    }

    /// A place was asked for that the file's hash cannot go on from: a fault of the caller.
    func misplaced(_ offset: UInt64) -> FxferError {
        FxferError(.internal, "'\(self.text)' cannot be read on from offset \(offset)")
    }

    /// Looks at what the user named: stat(2), through symbolic links.
    ///
    /// - Throws: `.noInput` where there is nothing of that name or it cannot be looked at.
    func look() throws(FxferError) -> FileStatus {
        guard !self.bytes.contains(0), !self.bytes.isEmpty else { throw self.missing() }
        return try self.opening {
            var status = stat()
            try once(.stat, CPath(self.bytes)) { stat($0, &status) }
            return FileStatus(status)
        }
    }

    /// Runs calls that look at or open the source and tells a failed one as an error of this name.
    ///
    /// An ``FxferProtocol/FxferError`` that `body` throws itself passes as it is.
    func opening<Result: ~Copyable>(_ body: () throws -> Result) throws(FxferError) -> Result {
        do {
            return try body()
        } catch let error as Errno {
            switch error.number {
            case ENOENT: throw self.missing()
            case ELOOP:
                throw FxferError(
                    .noInput,
                    "'\(self.text)' is behind a symbolic link, which is not followed",
                    cause: error
                )
            case EMFILE, ENFILE: throw self.unreadable(error, .busy)
            default: throw self.unreadable(error, .noInput)
            }
        } catch let error as FxferError {
            throw error
        } catch {
            throw FxferError(.internal, "cannot open '\(self.text)'", cause: error)
        }
    }
}
