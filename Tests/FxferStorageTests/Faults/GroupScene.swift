import FxferProtocol
import Testing

@testable import FxferStorage

/// Files and a folder that are published as one group while calls fail.
struct GroupScene: FaultScene {
    private static let names = ["a/1", "a/2", "b/c/3", "4"]
    private static let folder = "d"

    private let subject: DirectoryUnderTest

    init(in folder: TemporaryFolder) async throws {
        self.subject = try await DirectoryUnderTest(in: folder)
    }

    private static func content(_ name: String) -> [UInt8] { Array(repeating: name.utf8.last ?? 0, count: 100) }

    func run() async throws -> [Result<Publication, FxferError>] {
        try await Self.send(to: self.subject)
    }

    private static func send(to subject: DirectoryUnderTest) async throws -> [Result<Publication, FxferError>] {
        var files: [DirectoryStagedFile] = []
        for (index, name) in self.names.enumerated() {
            files.append(try await subject.staged(Self.content(name), path(name), in: index == 1 ? .disk : .memory))
        }
        let attributes = DirectorySentFolderTests.attributes
        files.append(try #require(subject.store.stageInMemory(path(Self.folder), attributes)))
        return try subject.commit(files, subject.store.committer)
    }

    func check(
        _ result: Result<[Result<Publication, FxferError>], any Error>,
        _ plan: FaultPlan
    ) async throws {
        var stored: [String] = []
        if case .success(let results) = result {
            #expect(results.count == Self.names.count + 1, FaultLoop.now)
            for (name, result) in zip(Self.names, results) {
                guard case .success(let publication) = result else { continue }
                #expect(publication.outcome == .stored, FaultLoop.now)
                stored.append(name)
                let status = try #require(try self.subject.folder.status(of: name))
                let folder = name.split(separator: "/").dropLast().joined(separator: "/")
                let parent = try #require(try self.subject.folder.status(of: folder.isEmpty ? "." : folder))
                #expect(plan.madeDurable(status.identity, in: parent.identity), FaultLoop.now)
            }
            let isFolderThere = try self.subject.folder.status(of: Self.folder) != nil
            if case .success? = results.last { #expect(isFolderThere) } else { #expect(!isFolderThere) }
        }
        let published = try self.subject.published().map { String(decoding: $0, as: UTF8.self) }
        if plan.leavesNamesUnseen {
            #expect(Set(stored).isSubset(of: published), FaultLoop.now)
        } else {
            #expect(published == stored.sorted(), FaultLoop.now)
        }
        for name in published { #expect(try self.subject.content(at: path(name)) == Self.content(name), FaultLoop.now) }
        let ledger = try StoredDirectory(at: Array(self.subject.folder.path.utf8)).readLedger()
        #expect(Set(ledger.latest.keys.map(\.description)) == Set(stored), FaultLoop.now)
        #expect(ledger.damages == [], FaultLoop.now)

        let again = try await DirectoryUnderTest(in: self.subject.folder)
        #expect(try again.partialFiles() == [], FaultLoop.now)
        for result in try await Self.send(to: again) { #expect(throws: Never.self) { try result.get() } }
        #expect(try again.published().count == Self.names.count, FaultLoop.now)
        try await again.expectVerified()
    }
}
