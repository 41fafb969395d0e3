import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Staged files that a killed server left behind")
struct DirectoryLeftoverTests {
    static let leftover = ".fxfer/partials/0123456789abcdef0123456789abcdef.part"

    @Test("are removed at the next start, and nothing else is")
    func swept() async throws {
        let folder = try TemporaryFolder()
        _ = try await DirectoryUnderTest(in: folder)
        let others = [
            "notes.txt", "0123456789ABCDEF0123456789ABCDEF.part", "1.part", String(repeating: "a", count: 37),
        ]
        for name in others { try folder.write([1], to: ".fxfer/partials/\(name)") }
        try folder.write(testBytes(1000), to: Self.leftover)
        try folder.write([1], to: "published")
        let subject = try await DirectoryUnderTest(in: folder)
        #expect(subject.store.leftoversRemoved == 1)
        #expect(try folder.names(in: ".fxfer/partials") == others.sorted())
        #expect(try folder.bytes(of: "published") == [1])
    }

    @Test("are told from those of a server that lives, which goes on undisturbed")
    func alive() async throws {
        let folder = try TemporaryFolder()
        let first = try await DirectoryUnderTest(in: folder)
        let file = try await first.fresh(path("a"))
        try await file.append(ByteBuffer(bytes: testBytes(1000)))
        try folder.write(testBytes(1000), to: Self.leftover)
        let second = try await DirectoryUnderTest(in: folder)
        #expect(second.store.leftoversRemoved == 1)
        #expect(try second.stagedCount() == 1)
        #expect(try await file.publish().outcome == .stored)
        #expect(try folder.bytes(of: "a") == testBytes(1000))
        #expect(try second.stagedCount() == 0)
    }

    @Test("a link or a FIFO among them is left alone")
    func planted() async throws {
        let folder = try TemporaryFolder()
        _ = try await DirectoryUnderTest(in: folder)
        try folder.write([1], to: "victim")
        try folder.link(Self.leftover, to: "../../victim")
        try folder.makePipe(".fxfer/partials/\(String(repeating: "0", count: 32)).part")
        let subject = try await DirectoryUnderTest(in: folder)
        #expect(subject.store.leftoversRemoved == 0)
        #expect(try folder.bytes(of: "victim") == [1])
    }

    @Test("no upload is lost to servers that start on the same directory meanwhile")
    func race() async throws {
        let folder = try TemporaryFolder()
        let subject = try await DirectoryUnderTest(in: folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let publication = try await subject.upload(testBytes(100), to: path("file\(index)"))
                    #expect(publication == .stored)
                }
                group.addTask { _ = try await DirectoryUnderTest(in: folder) }
            }
            try await group.waitForAll()
        }
        #expect(try subject.published().count == 200)
        #expect(try subject.stagedCount() == 0)
    }
}
