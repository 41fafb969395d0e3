import FxferProtocol
import FxferStorage
import Glibc

/// What must hold for a small file that is read whole and believed.
///
/// Everything is looked at on the open file, so that what was checked is what is read.
struct FileRules: Sendable {
    /// What the file is called in errors: "token file".
    let title: String
    /// The largest size in bytes.
    let maxSize: Int
    /// The permission bits that a regular file must not have.
    var forbidden: mode_t = 0
    /// Whether it must belong to this user or to root.
    var checksOwner = false
    /// Whether a FIFO will do, as the shell makes one of `<(…)`.
    var takesPipe = false
    /// Whether it is a secret or something to be trusted: then it is a matter of trust, too, where this user may not read
    /// it.
    var isTrusted = true

    /// Reads the file at `path`, the word of this machine's own user: symbolic links are followed.
    ///
    /// - Throws: `.noInput`, `.notPermitted`, `.io`.
    func read(path: [UInt8]) throws(FxferError) -> [UInt8] {
        let name = EscapedText.escape(path)
        guard !path.isEmpty, !path.contains(0) else {
            throw FxferError(.noInput, "cannot read the \(self.title) '\(name)': this is no path")
        }
        let file: OwnedDescriptor
        do {
            // A FIFO is waited for until somebody writes to it; a terminal does not become this process's own.
            file = try OwnedDescriptor.open(CPath(path), O_RDONLY | O_NOCTTY | (self.takesPipe ? 0 : O_NONBLOCK))
        } catch {
            throw self.failure(error, reading: name)
        }
        return try self.read(file, named: name)
    }

    /// Reads an open file from its beginning; `name` is its path, escaped.
    ///
    /// - Throws: `.noInput`, `.notPermitted`, `.io`.
    func read(_ file: borrowing OwnedDescriptor, named name: String) throws(FxferError) -> [UInt8] {
        do {
            try self.check(file.status(), named: name)
            return try self.content(of: file, named: name)
        } catch let error as FxferError {
            throw error
        } catch let error as Errno {
            throw self.failure(error, reading: name)
        } catch {
            throw FxferError(.internal, "cannot read the \(self.title) '\(name)'", cause: error)
        }
    }

    /// The error of a file call.
    func failure(_ error: Errno, reading name: String) -> FxferError {
        let code: FxferError.Code =
            switch error.number {
            case ENOENT, ENOTDIR, EISDIR, ENXIO, ENAMETOOLONG: .noInput
            case EACCES, EPERM: self.isTrusted ? .notPermitted : .noInput
            default: .io
            }
        return FxferError(code, "cannot read the \(self.title) '\(name)': \(error)", cause: error)
    }

    private func check(_ status: FileStatus, named name: String) throws(FxferError) {
        guard status.kind == .regular || self.takesPipe && status.kind == .pipe else {
            throw FxferError(.noInput, "the \(self.title) '\(name)' is \(status.kind.rawValue); it has to be a file")
        }
        guard !self.checksOwner || status.owner == geteuid() || status.owner == 0 else {
            throw FxferError(
                .notPermitted,
                "the \(self.title) '\(name)' belongs to another user (uid \(status.owner)); make it your own (chown)"
            )
        }
        guard status.kind != .regular || mode_t(status.permissions) & self.forbidden == 0 else {
            let mode = String(status.permissions, radix: 8)
            throw FxferError(
                .notPermitted,
                "others have access to the \(self.title) '\(name)' (mode \(mode)); take it from them (chmod 600), and "
                    + "replace what is in it if they may have read it"
            )
        }
    }

    /// How much is asked for at a time.
    private static let readSize = 64 << 10

    private func content(of file: borrowing OwnedDescriptor, named name: String) throws -> [UInt8] {
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: Self.readSize)
        while true {
            let number = file.number
            let count = try retrying { Glibc.read(number, &part, part.count) }
            guard count > 0 else { return content }
            content += part.prefix(count)
            guard content.count <= self.maxSize else {
                throw FxferError(
                    .noInput,
                    "the \(self.title) '\(name)' has more than \(self.maxSize) bytes; is it the right file?"
                )
            }
        }
    }
}
