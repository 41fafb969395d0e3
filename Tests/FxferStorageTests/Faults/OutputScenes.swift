import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

/// A file that a user asked for by its path, written while calls fail.
struct OutputFileScene: FaultScene {
    private static let pieces = [testBytes(5000), testBytes(100, seed: 2)]
    private static let old = testBytes(10, seed: 3)

    private let folder: TemporaryFolder
    private let isReplacing: Bool

    init(in folder: TemporaryFolder, isReplacing: Bool) throws {
        self.folder = folder
        self.isReplacing = isReplacing
        if isReplacing { try folder.write(Self.old, to: "f") }
    }

    func run() async throws -> FilePrefix {
        let file = try await OutputFile.create(path: Array(self.folder("f").utf8))
        for piece in Self.pieces { try await file.append(ByteBuffer(bytes: piece)) }
        return try await file.publish()
    }

    func check(_ result: Result<FilePrefix, any Error>, _ plan: FaultPlan) async throws {
        let whole = Self.pieces.flatMap { $0 }
        let there = try self.folder.status(of: "f") == nil ? nil : try self.folder.bytes(of: "f")
        guard case .success(let prefix) = result else {
            #expect(there == (self.isReplacing ? Self.old : nil), FaultLoop.now)
            return
        }
        #expect(there == whole, FaultLoop.now)
        #expect(prefix.digest == sha256(whole), FaultLoop.now)
        #expect(prefix.length == UInt64(whole.count), FaultLoop.now)
        let file = try #require(try self.folder.status(of: "f")).identity
        #expect(plan.madeDurable(file, in: try #require(try self.folder.status(of: ".")).identity), FaultLoop.now)
    }
}

/// Groups of small files that are written into a folder while calls fail.
struct OutputFolderScene: FaultScene {
    private static let groups = [["a/1", "a/2"], ["b/1", "b/2"]]
    private static let old = testBytes(10, seed: 3)

    private let folder: TemporaryFolder
    private let place: String

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        self.place = folder("out")
        try folder.makeFolder("out")
        try folder.makeFolder("out/a")
        try folder.write(Self.old, to: "out/a/1")
    }

    private static func content(_ name: String) -> [UInt8] { Array(repeating: name.utf8.last ?? 0, count: 100) }

    func run() async throws -> [FxferError?] {
        try await Self.write(to: self.place)
    }

    private static func write(to place: String) async throws -> [FxferError?] {
        let groups = try Self.groups.map { try $0.map { OutputFolder.File(try path($0), Self.content($0)) } }
        return try await DiskPool.shared.run { try OutputFolder(path: Array(place.utf8)).write(groups) }
    }

    /// Nil also where its folder is not there.
    private func status(of name: String) throws -> FileStatus? {
        do {
            return try self.folder.status(of: name)
        } catch let error as Errno where error.number == ENOENT {
            return nil
        }
    }

    func check(_ result: Result<[FxferError?], any Error>, _ plan: FaultPlan) async throws {
        for (index, names) in Self.groups.enumerated() {
            var hasSucceeded = false
            if case .success(let errors) = result { hasSucceeded = errors[index] == nil }
            for name in names {
                let place = "out/\(name)"
                let folder = try self.status(of: String(place.dropLast(2)))
                let status = try self.status(of: place)
                guard hasSucceeded else {
                    // Whole, if it is there: other files of its group, or its folder, may have failed.
                    let allowed = name == "a/1" ? [Self.content(name), Self.old] : [Self.content(name)]
                    if status != nil { #expect(try allowed.contains(self.folder.bytes(of: place)), FaultLoop.now) }
                    continue
                }
                #expect(try self.folder.bytes(of: place) == Self.content(name), FaultLoop.now)
                #expect(
                    plan.madeDurable(try #require(status).identity, in: try #require(folder).identity),
                    FaultLoop.now
                )
            }
        }
        #expect(try await Self.write(to: self.place).allSatisfy { $0 == nil }, FaultLoop.now)
    }
}
