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
        FxferError(.noInput, "'\(self.text)' is \(kind.rawValue); only files can be sent")
    }

    func changed() -> FxferError {
        FxferError(.sourceChanged, "'\(self.text)' was changed while it was sent; send it again")
    }

    /// A place was asked for that the file's hash cannot go on from: a fault of the caller.
    func misplaced(_ offset: UInt64) -> FxferError {
        FxferError(.internal, "'\(self.text)' cannot be read on from offset \(offset)")
    }
}
