import FxferProtocol
import Glibc

@testable import FxferStorage

/// A ``DirectoryStore`` in a folder of its own.
struct DirectoryUnderTest: StoreUnderTest {
    let folder: TemporaryFolder
    let store: DirectoryStore

    init(options: DirectoryStore.Options = .patient) async throws {
        try await self.init(in: TemporaryFolder(), options: options)
    }

    init(in folder: TemporaryFolder, options: DirectoryStore.Options = .patient) async throws {
        self.folder = folder
        self.store = try await DirectoryStore.open(path: Array(folder.path.utf8), options: options)
    }

    func content(at path: RelativePath) throws -> [UInt8]? {
        do {
            let file = try self.parent(of: path).openBeneath(CPath(path.lastComponent), O_RDONLY)
            return try file.content()
        } catch let error as Errno where error.number == ENOENT {
            return nil
        }
    }

    /// SHA-256 of the file at `path`.
    func digest(at path: [UInt8]) throws -> Digest {
        let path = try RelativePath(bytes: path)
        let file = try self.parent(of: path).openBeneath(CPath(path.lastComponent), O_RDONLY)
        var hash = SHA256()
        _ = try hash.update(from: file, at: 0, count: file.status().size)
        return hash.digest()
    }

    func published() throws -> [[UInt8]] {
        let found = try Self.files(in: self.folder.open(), below: [])
        return found.filter { !$0.starts(with: Array(".fxfer/".utf8)) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func files(in folder: borrowing OwnedDescriptor, below prefix: [UInt8]) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        for name in try folder.names() {
            if try folder.status(of: name)?.kind == .folder {
                found += try Self.files(in: folder.openFolderBeneath(name), below: prefix + name.bytes + [0x2F])
            } else {
                found.append(prefix + name.bytes)
            }
        }
        return found
    }

    func stagedCount() throws -> Int {
        try self.folder.names(in: ".fxfer/partials").count { !$0.hasSuffix(".journal") }
    }

    func put(_ bytes: [UInt8], at path: RelativePath) throws {
        let file = try self.parent(of: path).openBeneath(CPath(path.lastComponent), O_RDWR | O_CREAT, mode: 0o644)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    }

    func remove(_ path: RelativePath) throws {
        try self.parent(of: path).remove(CPath(path.lastComponent))
    }

    private func parent(of path: RelativePath) throws -> OwnedDescriptor {
        var folder = try self.folder.open()
        for component in path.components.dropLast() {
            folder = try folder.openFolderBeneath(CPath(component))
        }
        return folder
    }
}

extension DirectoryStore.Options {
    /// The defaults, but that no partial is taken over because a busy machine lets its test wait.
    static var patient: Self {
        var options = Self()
        options.takeOverAfter = .seconds(24 * 60 * 60)
        return options
    }
}
