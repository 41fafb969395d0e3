import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

@Suite("What a walk does not send")
struct SourceTreeRefusalTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        try self.folder.makeFolder("d")
        try self.folder.write([1], to: "d/z")
        try self.folder.makeFolder("other")
        try self.folder.write([1], to: "other/x")
    }

    private let rest = [Walked(.loaded, "r/z"), Walked(.folder, "r")]

    @Test("symbolic links inside a folder are skipped")
    func links() async throws {
        try self.folder.link("d/a", to: "../other/x")
        try self.folder.link("d/b", to: "../other")
        try self.folder.link("d/c", to: "nowhere")
        let skipped = ["d/a", "d/b", "d/c"].map { Walked(.skipped("a symbolic link"), $0) }
        #expect(try await self.folder.walk("d") == skipped + self.rest)
    }

    @Test("where links are followed, files and folders behind them are sent, and a dangling one fails")
    func followedLinks() async throws {
        try self.folder.link("d/a", to: "../other/x")
        try self.folder.link("d/b", to: "../other")
        try self.folder.link("d/c", to: "nowhere")
        let followed = [
            Walked(.loaded, "r/a"), Walked(.loaded, "r/b/x"), Walked(.folder, "r/b"), Walked(.failed(.noInput), "d/c"),
        ]
        #expect(try await self.folder.walk("d", options: .init(followsLinks: true)) == followed + self.rest)
    }

    @Test("a followed link to a folder above it fails, a second way to another folder does not")
    func loop() async throws {
        try self.folder.makeFolder("d/a")
        try self.folder.link("d/a/up", to: "..")
        try self.folder.link("d/b", to: "../other")
        try self.folder.link("d/c", to: "../other")
        let walked = try await self.folder.walk("d", options: .init(followsLinks: true))
        #expect(
            walked == [
                Walked(.failed(.noInput), "d/a/up"), Walked(.folder, "r/a"),
                Walked(.loaded, "r/b/x"), Walked(.folder, "r/b"),
                Walked(.loaded, "r/c/x"), Walked(.folder, "r/c"),
            ] + self.rest
        )
    }

    @Test("a FIFO, behind a followed link too, is skipped and nothing blocks", arguments: [false, true])
    func pipe(followsLinks: Bool) async throws {
        try self.folder.makePipe("d/a")
        try self.folder.link("d/b", to: "a")
        let walked = try await self.folder.walk("d", options: .init(followsLinks: followsLinks))
        let link = followsLinks ? "a FIFO" : "a symbolic link"
        #expect(walked == [Walked(.skipped("a FIFO"), "d/a"), Walked(.skipped(link), "d/b")] + self.rest)
    }

    @Test("what cannot be read fails by its name, and the rest is sent", .disabled(if: geteuid() == 0))
    func unreadable() async throws {
        try self.folder.makeFolder("d/a")
        try self.folder.setMode("d/a", 0o000)
        try self.folder.write([1], to: "d/b")
        try self.folder.setMode("d/b", 0o000)
        let walked = try await self.folder.walk("d")
        try self.folder.setMode("d/a", 0o700)
        #expect(walked == [Walked(.failed(.noInput), "d/a"), Walked(.failed(.noInput), "d/b")] + self.rest)
    }

    @Test("a name with a control byte fails and is escaped in the message; a folder of such a name is not entered")
    func controlBytes() async throws {
        try self.folder.write([1], to: "d/a\nb")
        try self.folder.makeFolder("d/b\u{1b}[2J")
        try self.folder.write([1], to: "d/b\u{1b}[2J/x")
        let entries = try await self.folder.entries(of: "d", as: "r")
        let errors = entries.compactMap { if case .failed(let error) = $0.content { error } else { nil } }
        #expect(errors.map(\.code) == [.nameRefused, .nameRefused])
        #expect(errors.allSatisfy { $0.message.utf8.allSatisfy { $0 >= 0x20 } })
        #expect(try await self.folder.walk("d").suffix(2) == self.rest)
    }

    @Test("a name that is no UTF-8 is sent byte by byte")
    func bytes() async throws {
        let name: [UInt8] = [0x61, 0xFF]
        _ = try self.folder.open().openFolderBeneath(CPath("d")).openBeneath(
            CPath(name),
            O_CREAT | O_WRONLY,
            mode: 0o600
        )
        let entries = try await self.folder.entries(of: "d", as: nil)
        guard case .loaded(_, let path) = entries.first?.content else {
            Issue.record("not loaded")
            return
        }
        #expect(path.bytes == name)
    }

    @Test("the receiver's own folder's name is refused where it would come first, not further down")
    func reserved() async throws {
        try self.folder.makeFolder("d/.fxfer")
        try self.folder.write([1], to: "d/.fxfer/x")
        #expect(
            try await self.folder.walk("d", as: nil) == [
                Walked(.failed(.nameRefused), "d/.fxfer"), Walked(.loaded, "z"),
            ]
        )
        #expect(
            try await self.folder.walk("d") == [Walked(.loaded, "r/.fxfer/x"), Walked(.folder, "r/.fxfer")] + self.rest
        )
    }

    @Test("what lies too deep fails, is not entered, and keeps no descriptor", arguments: ["r", nil])
    func tooDeep(destination: String?) async throws {
        var path = "d"
        for _ in 0..<70 {
            path += "/a"
            try self.folder.makeFolder(path)
        }
        let walked = try await self.folder.walk("d", as: destination)
        #expect(walked.count { $0.kind == .failed(.nameRefused) } == 1)
        #expect(walked.contains(Walked(.loaded, destination.map { "\($0)/z" } ?? "z")))
        #expect(walked.count { $0.kind == .folder } == (destination == nil ? 63 : 64))
        #expect(try openDescriptors(below: self.folder.path) == 0)
    }
}
