import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// What has a name, and what stands in the way of it.
extension ObjectStore {
    /// The object of that path; nil where there is none.
    func look(at path: RelativePath) async throws -> StoredObject? {
        let key = self.names.key(of: path.bytes)
        guard let answer = try await self.client.head(key) else { return nil }
        guard let object = StoredObject(answer, path, key) else {
            throw self.client.nonsense("no size or no entity tag", S3Request(.HEAD, key))
        }
        return object
    }

    /// Makes sure that no file has the place of a folder on the way.
    ///
    /// Two writers at once, one of `a` and one of `a/b`, may both see nothing: names in a bucket are flat. Each is whole
    /// then, and can be got.
    func checkFolders(of path: RelativePath) async throws {
        let components = path.components
        guard components.count > 1 else { return }
        let folders = try components.indices.dropFirst().map { end in
            try RelativePath(bytes: Array(components[..<end].joined(separator: [UInt8(ascii: "/")])))
        }
        let unknown = folders.filter { !self.knownFolders.contains($0.bytes) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for folder in unknown {
                group.addTask {
                    guard try await self.look(at: folder) == nil else {
                        throw FxferError(.cannotCreate, "cannot create '\(path)': '\(folder)' is a file")
                    }
                }
            }
            try await group.waitForAll()
        }
        for folder in unknown { self.knownFolders.add(folder.bytes) }
    }

    /// Whether anything is beneath the path.
    func isFolder(_ path: RelativePath) async throws -> Bool {
        let prefix = path.bytes + [UInt8(ascii: "/")]
        if self.names.isKey(prefix) {
            let page = try await self.client.list(self.names.prefix + prefix, limit: 1)
            if !page.objects.isEmpty { return true }
        }
        guard try await self.hiddenNames.mayBeThere() else { return false }
        return try await self.hiddenNames.all().contains { $0.path.starts(with: prefix) }
    }

    func isTaken(_ path: RelativePath) -> FxferError {
        FxferError(.exists, "'\(path)' exists with other content; remove it or choose another name")
    }

    func isTakenByFolder(_ path: RelativePath) -> FxferError {
        FxferError(.exists, "'\(path)' exists and is a folder; remove it or choose another name")
    }

    /// How many files are kept beside the one that has the name.
    static var maxCopies: Int { 999 }

    /// `path.number`
    func copy(_ number: Int, of path: RelativePath) throws(FxferError) -> RelativePath {
        do {
            return try RelativePath(bytes: path.bytes + Array(".\(number)".utf8))
        } catch {
            throw FxferError(
                .exists,
                "'\(path)' exists, and its name is too long to keep another beside it",
                cause: error
            )
        }
    }

    /// The first of `path.1`, `path.2` … that nothing has just now.
    func freePath(beside path: RelativePath) async throws -> RelativePath {
        for number in 1...Self.maxCopies {
            let copy = try self.copy(number, of: path)
            if try await self.look(at: copy) == nil, try await !self.isFolder(copy) { return copy }
        }
        throw FxferError(.exists, "'\(path)' and \(Self.maxCopies) copies beside it exist; remove some")
    }
}

/// Paths that were found to be no files a short time ago, so that each of many files in a folder need not ask again.
final class KnownPaths: Sendable {
    /// How many are remembered; where there are more, all are forgotten.
    private static let limit = 4096
    private static let lifetime = Duration.seconds(10)

    private let paths = Mutex<[[UInt8]: ContinuousClock.Instant]>([:])

    func contains(_ path: [UInt8]) -> Bool {
        self.paths.withLock { $0[path].map { .now - $0 < Self.lifetime } ?? false }
    }

    func add(_ path: [UInt8]) {
        self.paths.withLock { paths in
            if paths.count >= Self.limit { paths = [:] }
            paths[path] = .now
        }
    }

    func remove(_ path: [UInt8]) {
        self.paths.withLock { $0[path] = nil }
    }
}

/// Files and folders whose paths cannot be keys: their objects are named by the SHA-256 of the path, and the path stands
/// in an object of its own, which is never changed.
final class HiddenNames: Sendable {
    /// A hidden file or folder.
    struct Entry: Hashable, Sendable {
        /// With a slash at its end where it is a folder.
        let path: [UInt8]
        let size: UInt64
    }

    /// How many paths are remembered.
    private static let limit = 10_000

    private let client: S3Client
    private let names: ObjectNames
    private let known = Mutex<[[UInt8]: [UInt8]]>([:])
    /// When there was none.
    private let wasEmpty = Mutex<ContinuousClock.Instant?>(nil)

    init(_ client: S3Client, _ names: ObjectNames) {
        self.client = client
        self.names = names
    }

    /// Makes the path known, where it needs that, before its object is there.
    func prepare(_ path: [UInt8]) async throws {
        guard !self.names.isKey(path) else { return }
        try await self.client.put(self.names.hiddenPath(path), ByteBuffer(bytes: path))
    }

    /// Whether there is any; by a look of some seconds ago, where there was none then.
    func mayBeThere() async throws -> Bool {
        if let last = self.wasEmpty.withLock({ $0 }), .now - last < .seconds(5) { return false }
        let isEmpty = try await self.client.list(self.names.hidden, limit: 1).objects.isEmpty
        self.wasEmpty.withLock { $0 = isEmpty ? .now : nil }
        return !isEmpty
    }

    /// All that there are, in no order.
    func all() async throws -> [Entry] {
        var found: [Entry] = []
        try await self.client.forEachPage(self.names.hidden) { page in
            for object in page.objects {
                guard let path = try await self.path(of: object.key) else { continue }
                found.append(Entry(path: path, size: object.size))
            }
        }
        return found
    }

    /// Nil where it is not known.
    private func path(of key: [UInt8]) async throws -> [UInt8]? {
        let hash = Array(key.dropFirst(self.names.hidden.count))
        if let path = self.known.withLock({ $0[hash] }) { return path }
        let answer = try await self.client.get(self.names.hiddenPaths + hash, limit: RelativePath.maxBytes + 1)
        guard let path = answer.map({ Array($0.body.readableBytesView) }), ObjectNames.hash(path) == hash else {
            return nil
        }
        self.known.withLock { known in
            if known.count >= Self.limit { known = [:] }
            known[hash] = path
        }
        return path
    }
}
