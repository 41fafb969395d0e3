import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

@Suite("Opening a source")
struct SourceFileOpeningTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func error(opening name: String) async -> FxferError? {
        await #expect(throws: FxferError.self) {
            _ = try await SourceFile.open(path: Array(self.folder(name).utf8))
        }
    }

    @Test("what is missing, a directory or a FIFO is no input, each with its own message, and nothing blocks")
    func notRegular() async throws {
        try self.folder.makeFolder("folder")
        try self.folder.makePipe("pipe")
        try self.folder.link("dangling", to: "nowhere")
        var messages: Set<String> = []
        for name in ["missing", "folder", "pipe", "dangling"] {
            let error = await self.error(opening: name)
            #expect(error?.code == .noInput)
            messages.insert(error?.message.replacing(name, with: "") ?? "")
        }
        #expect(messages.count == 3)
    }

    @Test("a device is no input")
    func device() async {
        #expect(await failureCode { _ = try await SourceFile.open(path: Array("/dev/zero".utf8)) } == .noInput)
    }

    @Test("a path with a zero byte, or none at all, is no input", arguments: [[], [0x78, 0], [0]])
    func zero(path: [UInt8]) async {
        #expect(await failureCode { _ = try await SourceFile.open(path: path) } == .noInput)
    }

    @Test("a link is followed, as scp does")
    func link() async throws {
        try self.folder.write(testBytes(10), to: "x")
        try self.folder.link("link", to: "x")
        let source = try await SourceFile.open(path: Array(self.folder("link").utf8))
        #expect(try await source.read(at: 0, count: 10).digest == sha256(testBytes(10)))
    }

    @Test("a name that would drive the terminal is escaped in the message")
    func escaped() async {
        let error = await self.error(opening: "a\u{1b}[2J\nb")
        #expect(error?.message.utf8.allSatisfy { $0 >= 0x20 } == true)
    }

    @Test("a file of /proc, whose size is a lie, is never told unchanged")
    func proc() async throws {
        let source = try await SourceFile.open(path: Array("/proc/self/status".utf8))
        #expect(source.size == 0)
        #expect(await failureCode { try await source.checkUnchanged() } == .sourceChanged)
    }
}
