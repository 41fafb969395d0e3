import CLinux
import FxferProtocol
import Glibc
import NIOCore

@testable import FxferStorage

/// A folder of one test's own, removed with everything in it when the test lets go of it.
///
/// Paths in it are strings relative to it. None of its methods follows a link at the end of a path.
final class TemporaryFolder: Sendable {
    let path: String

    /// - Parameter inMemory: whether it need not be on a disk, where there is a choice: flushes take no time then.
    init(inMemory: Bool = false) throws {
        let parent = inMemory && access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/fxfer-storage-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno.last }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? Self.empty(OwnedDescriptor.open(CPath(self.path), O_RDONLY | O_DIRECTORY))
        rmdir(self.path)
    }

    private static func empty(_ folder: borrowing OwnedDescriptor) throws {
        for name in try folder.names() {
            if try folder.status(of: name)?.kind == .folder {
                try Self.empty(folder.openFolderBeneath(name))
                _ = unlinkat(folder.number, name.characters, AT_REMOVEDIR)
            } else {
                try folder.remove(name)
            }
        }
    }

    func callAsFunction(_ name: String) -> String { "\(self.path)/\(name)" }

    func open() throws -> OwnedDescriptor {
        try OwnedDescriptor.open(CPath(self.path), O_RDONLY | O_DIRECTORY)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try OwnedDescriptor.open(CPath(self(name)), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        try file.setPermissions(0o644)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    }

    func bytes(of name: String) throws -> [UInt8] {
        let file = try OwnedDescriptor.open(CPath(self(name)), O_RDONLY | O_NOFOLLOW)
        return try file.content()
    }

    /// Writes over the file's beginning, without truncating it first.
    func overwrite(_ bytes: [UInt8], in name: String) throws {
        let file = try OwnedDescriptor.open(CPath(self(name)), O_WRONLY | O_NOFOLLOW)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    }

    func append(_ bytes: [UInt8], to name: String) throws {
        let file = try OwnedDescriptor.open(CPath(self(name)), O_WRONLY | O_NOFOLLOW)
        let end = try file.status().size
        try bytes.withUnsafeBytes { try file.write($0, at: end) }
    }

    func setMode(_ name: String, _ mode: mode_t) throws {
        try once { chmod(self(name), mode) }
    }

    func status(of name: String) throws -> FileStatus? {
        try self.open().status(of: CPath(name))
    }

    func makeFolder(_ name: String) throws {
        try once { mkdir(self(name), 0o755) }
    }

    func link(_ name: String, to target: String) throws {
        try once { symlink(target, self(name)) }
    }

    func makePipe(_ name: String) throws {
        try once { mkfifo(self(name), 0o600) }
    }

    func remove(_ name: String) throws {
        try once { unlink(self(name)) }
    }

    func rename(_ name: String, to newName: String) throws {
        try once { Glibc.rename(self(name), self(newName)) }
    }

    func names(in name: String = ".") throws -> [String] {
        try OwnedDescriptor.open(CPath(self(name)), O_RDONLY | O_DIRECTORY).names()
            .map { String(decoding: $0.bytes, as: UTF8.self) }
            .sorted()
    }
}

extension TemporaryFolder {
    /// Takes everything in `other` over, with its attributes.
    func becomeCopy(of other: TemporaryFolder) throws {
        try runCommand(["cp", "-a", "\(other.path)/.", self.path])
    }
}

extension OwnedDescriptor {
    /// All bytes of the file.
    func content() throws -> [UInt8] {
        var bytes = ByteBuffer()
        try self.read(Int(self.status().size), at: 0, into: &bytes)
        return Array(bytes.readableBytesView)
    }
}
