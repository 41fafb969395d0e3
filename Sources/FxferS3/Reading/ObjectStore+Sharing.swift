import FxferProtocol
import FxferStorage
import NIOCore
import Synchronization

/// The way back: files and folders of the bucket.
extension ObjectStore: SharedFiles {
    package func open(_ path: RelativePath) async throws -> SharedContent {
        try await storing("read", path) {
            guard !ObjectNames.isReserved(path.bytes) else { throw Self.isMissing(path) }
            guard let object = try await self.look(at: path) else {
                if try await self.isFolder(path) {
                    throw FxferError(.isFolder, "'\(path)' is a folder; list it to see what is in it")
                }
                throw Self.isMissing(path)
            }
            let digest = try await self.content(of: object)?.digest
            return .file(ObjectSource(self.client, object, self.readMemory, digest: digest))
        }
    }

    package func list(_ folder: RelativePath?) async throws -> any SharedListing {
        do {
            return try await ObjectListing(self, folder)
        } catch let error as S3Error {
            throw FxferError(
                error.isTemporary ? .busy : .io,
                "cannot list \(folder.map { "'\($0)' in " } ?? "")the object store: \(error.explanation)",
                cause: error
            )
        }
    }
}

/// A listing of a folder: the names are read at once, as a bucket has them in another order; the rest in portions.
private final class ObjectListing: SharedListing {
    /// How many objects are looked at at once.
    private static let portion = 32

    private struct Name: Hashable {
        let bytes: [UInt8]
        let isFolder: Bool
    }

    let folder: FileAttributes
    private let store: ObjectStore
    /// With a slash at its end; empty for the top.
    private let path: [UInt8]
    private let names: [Name]
    /// What the list said of those that are objects of their own.
    private let objects: [Name: ListedObject]
    private let visited = Mutex(0)

    /// - Throws: `.noInput` where there is no such folder; ``S3Error``.
    init(_ store: ObjectStore, _ folder: RelativePath?) async throws {
        if let folder, ObjectNames.isReserved(folder.bytes) { throw ObjectStore.isMissing(folder) }
        let path = folder.map { $0.bytes + [UInt8(ascii: "/")] } ?? []
        self.store = store
        self.path = path
        var names: Set<Name> = []
        var objects: [Name: ListedObject] = [:]
        var isThere = folder == nil
        if store.names.isKey(path) {
            try await store.client.forEachPage(store.names.prefix + path, delimiter: "/") { page in
                for object in page.objects {
                    guard let bytes = store.names.path(of: object.key) else { continue }
                    isThere = true
                    if let name = Self.name(bytes, in: path) { objects[name] = object }
                }
                for key in page.folders {
                    guard let bytes = store.names.path(of: key) else { continue }
                    isThere = true
                    if let name = Self.name(bytes, in: path) { names.insert(name) }
                }
            }
        }
        for entry in try await store.hiddenNames.all() where entry.path.starts(with: path) {
            isThere = true
            if let name = Self.name(entry.path, in: path) { names.insert(name) }
        }
        if !isThere, let folder {
            guard try await store.look(at: folder) == nil else {
                throw FxferError(.noInput, "'\(folder)' is a file; list the folder that it is in")
            }
            throw ObjectStore.isMissing(folder)
        }
        // A bucket may have a file and a folder of one name.
        self.objects = objects
        self.names = names.union(objects.keys).sorted { first, second in
            first.bytes == second.bytes
                ? !first.isFolder && second.isFolder
                : first.bytes.lexicographicallyPrecedes(second.bytes)
        }
        self.folder = folder == nil ? FileAttributes(isFolder: true) : try await Self.attributes(of: path, store)
    }

    /// The first component of what is in the folder; nil for the folder itself.
    private static func name(_ path: [UInt8], in folder: [UInt8]) -> Name? {
        let rest = path.dropFirst(folder.count)
        let name = rest.prefix { $0 != UInt8(ascii: "/") }
        // Foreign objects may have names that could not be asked for.
        guard !name.isEmpty, (try? RelativePath(bytes: folder + name)) != nil else { return nil }
        return Name(bytes: Array(name), isFolder: name.endIndex < rest.endIndex)
    }

    private static func attributes(of folder: [UInt8], _ store: ObjectStore) async throws -> FileAttributes {
        let answer = try await store.client.head(store.names.key(of: folder))
        let metadata = answer.flatMap { ObjectMetadata($0.headers, size: 0) }
        return FileAttributes(modified: metadata?.modified, permissions: metadata?.permissions, isFolder: true)
    }

    func next() async throws -> [SharedEntry] {
        while true {
            let names = self.visited.withLock { visited in
                let names = self.names[visited..<min(visited + Self.portion, self.names.count)]
                visited = names.endIndex
                return names
            }
            guard !names.isEmpty else { return [] }
            do {
                let entries = try await withThrowingTaskGroup(of: (Int, SharedEntry?).self) { group in
                    for (index, name) in zip(names.indices, names) {
                        group.addTask { (index, try await self.entry(name)) }
                    }
                    return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                let found = names.indices.compactMap { entries[$0] }
                if !found.isEmpty { return found }
            } catch let error as S3Error {
                throw FxferError(.io, "cannot list files in the object store: \(error.explanation)", cause: error)
            }
        }
    }

    /// What there is of that name, by what the list has said where the store cannot say more. Nil for what has gone
    /// meanwhile.
    private func entry(_ name: Name) async throws -> SharedEntry? {
        do {
            return try await self.look(at: name)
        } catch let error as S3Error where error.isAboutOneObject {
            if name.isFolder { return Self.folder(name, FileAttributes(isFolder: true)) }
            guard let object = self.objects[name] else { return nil }
            return SharedEntry(
                name: name.bytes,
                isFolder: false,
                permissions: 0o644,
                size: object.size,
                modified: object.modified.map { FileTime(seconds: $0, nanoseconds: 0) } ?? .unknown
            )
        }
    }

    private static func folder(_ name: Name, _ attributes: FileAttributes) -> SharedEntry {
        SharedEntry(
            name: name.bytes,
            isFolder: true,
            permissions: attributes.permissions ?? 0o755,
            size: 0,
            modified: attributes.modified ?? .unknown
        )
    }

    /// Nil for what has gone meanwhile.
    private func look(at name: Name) async throws -> SharedEntry? {
        if name.isFolder {
            let folder = try await Self.attributes(of: self.path + name.bytes + [UInt8(ascii: "/")], self.store)
            return Self.folder(name, folder)
        }
        let path = try RelativePath(bytes: self.path + name.bytes)
        guard let object = try await self.store.look(at: path) else { return nil }
        return SharedEntry(
            name: name.bytes,
            isFolder: false,
            permissions: object.attributes.permissions ?? 0o644,
            size: object.size,
            modified: object.modified
        )
    }
}

extension ObjectStore {
    fileprivate static func isMissing(_ path: RelativePath) -> FxferError {
        FxferError(.noInput, "'\(path)' does not exist")
    }
}
