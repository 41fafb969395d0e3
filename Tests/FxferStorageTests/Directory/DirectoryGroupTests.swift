import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A group of files in a directory")
struct DirectoryGroupTests {
    typealias Place = DirectoryUnderTest.Place

    @Test("is published whole, in several folders", arguments: Place.allCases)
    func folders(place: Place) async throws {
        let subject = try await DirectoryUnderTest()
        var names: [[UInt8]] = []
        var files: [DirectoryStagedFile] = []
        for index in 0..<100 {
            let name = try path(["a/b/", "a/", "", "c/"][index % 4] + "file\(index)")
            names.append(name.bytes)
            files.append(try await subject.staged(testBytes(index, seed: UInt64(index)), name, in: place))
        }
        let results = try subject.commit(files)
        #expect(results.map(\.outcome) == Array(repeating: .stored, count: 100))
        #expect(try subject.published() == names.sorted { $0.lexicographicallyPrecedes($1) })
        for (index, name) in names.enumerated() {
            let content = try subject.content(at: RelativePath(bytes: name))
            #expect(content == testBytes(index, seed: UInt64(index)))
        }
        #expect(try subject.stagedCount() == 0)
        #expect(try openDescriptors(below: subject.folder.path + "/a") == 0)
    }

    @Test("goes through the queue whole, however many files are ready at once")
    func queue() async throws {
        let subject = try await DirectoryUnderTest()
        let outcomes = try await withThrowingTaskGroup(of: Publication.Outcome.self) { group in
            for index in 0..<1000 {
                let size = index % 100 == 0 ? 2_000_000 : index
                group.addTask {
                    let place = size > 1000 ? Place.disk : .memory
                    return try await subject.send(testBytes(size), path("a\(index % 7)/\(index)"), in: place).outcome
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: .stored, count: 1000))
        #expect(try subject.published().count == 1000)
        #expect(try subject.stagedCount() == 0)
    }

    @Test("is not harmed by a member that fails", arguments: Place.allCases)
    func failingMember(place: Place) async throws {
        let subject = try await DirectoryUnderTest()
        try subject.put([1], at: path("file"))
        let files = [
            try await subject.staged(testBytes(10), path("a/b"), in: place),
            try await subject.staged(testBytes(10), path("file/a")),
            try await subject.staged(testBytes(10), path("file"), in: .memory),
            try await subject.staged(testBytes(10), path("gone"), in: place),
            try await subject.staged(testBytes(20), path("c"), in: place),
        ]
        await files[3].discard(keepingPartial: false)
        let results = try subject.commit(files)
        #expect(results.map(\.outcome) == [.stored, nil, nil, nil, .stored])
        #expect(results.map(\.failureCode) == [nil, .cannotCreate, .exists, .internal, nil])
        #expect(try subject.published() == ["a/b", "c", "file"].map { Array($0.utf8) })
        #expect(try subject.content(at: path("file")) == [1])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("stores one of several files of one path", arguments: Place.allCases)
    func samePath(place: Place) async throws {
        let subject = try await DirectoryUnderTest()
        let files = [
            try await subject.staged(testBytes(10), path("a/b"), in: place),
            try await subject.staged(testBytes(10), path("a/b"), in: place),
            try await subject.staged(testBytes(10, seed: 2), path("a/b"), in: place),
            try await subject.staged(testBytes(11), path("a/b"), in: place),
        ]
        let results = try subject.commit(files)
        #expect(results.map(\.outcome) == [.stored, .identical, nil, nil])
        #expect(results.map(\.failureCode) == [nil, nil, .exists, .exists])
        #expect(try subject.content(at: path("a/b")) == testBytes(10))
        #expect(try subject.published() == [Array("a/b".utf8)])
        #expect(try subject.stagedCount() == 0)
    }

    @Test("a folder that was removed while its files were made durable is made again")
    func removedFolder() async throws {
        let subject = try await DirectoryUnderTest()
        let committer = try subject.committer()
        let file = try await subject.staged(testBytes(10), path("a/b"))
        let member = CommitMember(CommitQueue.Item(file: file, size: 10, origin: Origin()) { _ in }, committer)
        let folders = GroupFolders(committer.tree)
        member.prepare(folders)
        member.enterFolder(folders)
        rmdir(subject.folder("a"))
        member.takeName()
        #expect(member.state == .contended)
        member.settle(folders)
        #expect(member.state == .done)
        #expect(try subject.content(at: path("a/b")) == testBytes(10))
    }
}
