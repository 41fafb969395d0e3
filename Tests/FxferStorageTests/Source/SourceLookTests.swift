import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

@Suite("A look at what is to be sent")
struct SourceLookTests {
    private static func look(at names: String...) async throws -> [Result<FileAttributes, FxferError>] {
        try await SourceLook.look(at: names.map { Array($0.utf8) })
    }

    private static func code(_ result: Result<FileAttributes, FxferError>) -> FxferError.Code? {
        if case .failure(let error) = result { error.code } else { nil }
    }

    @Test("each path gets its answer, in their order")
    func order() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "a")
        try folder.makeFolder("d")
        try folder.link("link", to: "a")
        let looks = try await Self.look(at: folder("d"), folder("none"), folder("a"), folder("link"))
        #expect(looks.count == 4)
        #expect(try looks[0].get().isFolder)
        #expect(Self.code(looks[1]) == .noInput)
        #expect(try looks[2].get().size == 3)
        #expect(try looks[2].get().isFolder == false)
        #expect(try looks[3].get().size == 3)
    }

    @Test("what cannot be sent is told, without being opened")
    func refused() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "a")
        try folder.makePipe("pipe")
        try folder.link("dangling", to: "nothing")
        let looks = try await Self.look(
            at: folder("pipe"),
            folder("dangling"),
            folder("a/b"),
            "",
            "/dev/null",
            folder("a\0b")
        )
        #expect(looks.map(Self.code) == Array(repeating: .noInput, count: 6))
    }

    @Test("what may not be read is told", .disabled(if: geteuid() == 0, "root may read everything"))
    func unreadable() async throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "a")
        try folder.setMode("a", 0)
        #expect(try await Self.look(at: folder("a")).map(Self.code) == [.noInput])
    }

    @Test("nothing is looked at where nothing is named")
    func nothing() async throws {
        #expect(try await Self.look().isEmpty)
    }
}
