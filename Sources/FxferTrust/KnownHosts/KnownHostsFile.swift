import FxferProtocol
import FxferStorage
import Glibc

/// The file of ``KnownHosts``, made where it is missing and locked as long as this value lives.
struct KnownHostsFile: ~Copyable {
    let descriptor: OwnedDescriptor
    private let folder: OwnedDescriptor
    private let name: String

    private init(_ descriptor: consuming OwnedDescriptor, in folder: consuming OwnedDescriptor, _ name: String) {
        self.descriptor = descriptor
        self.folder = folder
        self.name = name
    }

    /// Opens the file at `path`; waits until no one else has it.
    ///
    /// - Throws: `.cannotCreate`, `.notPermitted`, `.noSpace`, `.io`.
    static func open(_ path: [UInt8]) throws(FxferError) -> KnownHostsFile {
        let name = EscapedText.escape(path)
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let last = parts.last, !last.isEmpty, !path.contains(0) else {
            throw FxferError(.cannotCreate, "cannot keep known hosts in '\(name)': this is no path of a file")
        }
        let above = path.dropLast(last.count)
        do {
            let folder = try ReceivingFolder.open(above.isEmpty ? [UInt8(ascii: ".")] : Array(above), mode: 0o700)
            let flags = O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY
            let descriptor = try OwnedDescriptor.open(CPath(path), flags, mode: 0o600)
            try descriptor.lock()
            return KnownHostsFile(descriptor, in: folder, name)
        } catch {
            throw Self.failure(error, name)
        }
    }

    /// Adds `line` in one write to the end, which is at `size`, and makes it durable; where it cannot be written whole,
    /// what was written of it is taken back.
    func append(_ line: [UInt8], to size: Int) throws(FxferError) {
        do throws(Errno) {
            let number = self.descriptor.number
            do throws(Errno) {
                let count = try retrying { Glibc.write(number, line, line.count) }
                guard count == line.count else { throw Errno(ENOSPC) }
            } catch {
                try? self.descriptor.truncate(to: UInt64(size))
                throw error
            }
            try self.descriptor.sync()
            // The name is durable, too, whoever made it.
            try self.folder.sync()
        } catch {
            throw Self.failure(error, self.name)
        }
    }

    private static func failure(_ error: Errno, _ name: String) -> FxferError {
        let code: FxferError.Code =
            switch error.number {
            case ENOSPC, EDQUOT: .noSpace
            case EACCES, EPERM: .notPermitted
            case ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EROFS: .cannotCreate
            default: .io
            }
        return FxferError(code, "cannot write the known hosts file '\(name)': \(error)", cause: error)
    }
}
