import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Folders of a receiving directory")
struct DirectoryFolderTests {
    @Test("a directory that is missing is made with those above it", arguments: ["a", "a/b/c", "./a//b/", "a/../b"])
    func made(name: String) async throws {
        let folder = try TemporaryFolder()
        let store = try await DirectoryStore.open(path: Array(folder(name).utf8))
        #expect(store.leftoversRemoved == 0)
        #expect(try folder.names(in: name) == [".fxfer"])
    }

    @Test("what cannot be a directory is refused", arguments: ["", "file", "file/a", "dangling", "zero\0"])
    func refused(name: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "file")
        try folder.link("dangling", to: "nowhere")
        let path = name.isEmpty ? [] : Array(folder(name).utf8)
        await #expect(throws: FxferError.self) { _ = try await DirectoryStore.open(path: path) }
        #expect(try folder.names() == ["dangling", "file"])
    }

    @Test("folders are made when the file is published, and not for one that is given up")
    func late() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await subject.fresh(path("a/b/c"))
        #expect(try subject.folder.names() == [".fxfer"])
        await file.discard(keepingPartial: false)
        #expect(try subject.folder.names() == [".fxfer"])
        #expect(try await subject.upload(testBytes(10), to: path("a/b/c")) == .stored)
        #expect(try subject.folder.names(in: "a/b") == ["c"])
    }

    @Test("many uploads that need the same new folders all succeed")
    func shared() async throws {
        let subject = try await DirectoryUnderTest()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<100 {
                group.addTask {
                    let publication = try await subject.upload([1], to: path("a/b/c/file\(index)"))
                    #expect(publication == .stored)
                }
            }
            try await group.waitForAll()
        }
        #expect(try subject.folder.names(in: "a/b/c").count == 100)
    }

    @Test("one descriptor is open for a staged file")
    func descriptors() async throws {
        let subject = try await DirectoryUnderTest()
        var files: [DirectoryStagedFile] = []
        for index in 0..<10 {
            let file = try await subject.fresh(path("a/b/\(index)"))
            try await file.append(ByteBuffer(bytes: [1]))
            files.append(file)
        }
        // The directory, .fxfer, partials and states, the ledger and its head.
        #expect(try openDescriptors(below: subject.folder.path) == 10 + 6)
        for file in files { _ = try await file.publish() }
        #expect(try openDescriptors(below: subject.folder.path) == 6)
    }

    @Test("a folder without write permission is told when the file is offered", .enabled(if: Mount.isPossible))
    func readOnly() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("a")
        let subject = try await DirectoryUnderTest(in: folder)
        let mount = try Mount(.tmpfs(kilobytes: 1024, readOnly: true), at: folder("a"))
        let code = await failureCode { _ = try await subject.fresh(path("a/b")) }
        #expect(code == .cannotCreate)
        mount.end()
        #expect(try subject.stagedCount() == 0)
    }
}
