import FxferProtocol
import FxferStorage
import Glibc
import Testing

@testable import FxferTrust

@Suite struct TokenListTests {
    private static let one = String(repeating: "1", count: 22)
    private static let two = String(repeating: "2", count: 43)
    private let folder: TemporaryFolder

    init() throws { self.folder = try TemporaryFolder() }

    private func load(_ text: String, mode: mode_t = 0o600) throws -> [TokenList.Entry] {
        try TokenList.load(path: self.folder.write(text, to: "tokens", mode: mode)).entries
    }

    @Test("each form of a line is read")
    func forms() throws {
        let entries = try self.load(
            "# Tokens\n\n\(Self.one)\nalice:\(Self.two)\n  \t# not one\nA.b_c@d-9:\(Self.one)3:list,upload\n"
        )
        #expect(entries.map(\.name) == ["token", "alice", "A.b_c@d-9"])
        #expect(entries.map(\.token.text) == [Self.one, Self.two, Self.one + "3"])
        #expect(entries.map(\.rights) == [.all, .all, [.upload, .list]])
    }

    @Test("line ends of other systems, white space around and a missing last line end do not matter")
    func lineEnds() throws {
        let entries = try self.load("\r\n# a\r\nalice:\(Self.one)\r\n \tbob:\(Self.two):read \t")
        #expect(entries.map(\.name) == ["alice", "bob"])
        #expect(entries.map(\.token.text) == [Self.one, Self.two])
        #expect(entries.map(\.rights) == [.all, .read])
    }

    @Test(
        "a line that is none is named by its number, and not quoted",
        arguments: [
            "secret-too-short", "alice:secret-too-short", "alice:", "alice", ":secret-secret-secret-secret",
            "a b:secret-secret-secret-secret", "é:secret-secret-secret-secret",
            String(repeating: "n", count: 65) + ":secret-secret-secret-secret",
            "alice:secret-secret secret-secret", "alice:sécret-secret-secret-secret",
            "alice:secret-secret-secret-secret:", "alice:secret-secret-secret-secret:all",
            "alice:secret-secret-secret-secret:upload,", "alice:secret-secret-secret-secret:Upload",
            "alice:secret-secret-secret-secret:upload read", "alice:secret-secret-secret-secret:read:list",
            String(repeating: "secret", count: 43), "alice:secret-secret-secret-secret#",
        ]
    )
    func refused(line: String) throws {
        let path = try self.folder.write("# \n\(Self.one)\n\(line)\n", to: "tokens")
        let error = failure(secrets: ["secret", Self.one]) { () throws(FxferError) in _ = try TokenList.load(path: path)
        }
        #expect(error?.code == .noInput)
        #expect(error?.message.contains("line 3 ") == true)
        #expect(error?.message.contains(self.folder("tokens")) == true)
    }

    @Test("a name or a token twice is refused")
    func twice() throws {
        for text in ["\(Self.one)\n\(Self.two)", "a:\(Self.one)\na:\(Self.two)", "a:\(Self.one)\nb:\(Self.one)"] {
            let path = try self.folder.write(text, to: "tokens")
            let error = failure(secrets: [Self.one, Self.two]) { () throws(FxferError) in
                _ = try TokenList.load(path: path)
            }
            #expect(error?.code == .noInput)
            #expect(error?.message.contains("line 2 ") == true)
        }
    }

    @Test("no token, too many tokens and too large a file are refused")
    func sizes() throws {
        func code(_ text: String) throws -> FxferError.Code? {
            let path = try self.folder.write(text, to: "tokens")
            return failure { () throws(FxferError) in _ = try TokenList.load(path: path) }?.code
        }
        let lines = (0..<1001).map { "name\($0):\(Self.one)\($0)\n" }
        #expect(try self.load(lines.dropLast().joined()).count == 1000)
        #expect(try code(lines.joined()) == .noInput)
        #expect(try code("") == .noInput)
        #expect(try code("# none\n\n") == .noInput)
        let comment = "#" + String(repeating: "x", count: (256 << 10) - Self.one.count - 2) + "\n"
        #expect(try self.load(comment + Self.one).count == 1)
        #expect(try code(comment + Self.one + "\n") == .noInput)
    }

    @Test("a file that others have access to is refused, that its group reads is not")
    func permissions() throws {
        #expect(try self.load(Self.one, mode: 0o640).count == 1)
        #expect(try self.load(Self.one, mode: 0o400).count == 1)
        for mode in [0o644, 0o604, 0o602, 0o601, 0o620] as [mode_t] {
            let path = try self.folder.write(Self.one, to: "tokens", mode: mode)
            let error = failure(secrets: [Self.one]) { () throws(FxferError) in _ = try TokenList.load(path: path) }
            #expect(error?.code == .notPermitted)
        }
    }

    @Test("a file of another user is refused", .enabled(if: geteuid() == 0))
    func foreign() throws {
        let path = try self.folder.write(Self.one, to: "tokens")
        try once { chown(self.folder("tokens"), 12345, 0) }
        #expect(failure { () throws(FxferError) in _ = try TokenList.load(path: path) }?.code == .notPermitted)
    }

    @Test("a folder, a device and a missing file are refused")
    func otherKinds() {
        for path in [self.folder.path, "/dev/zero", self.folder("missing"), "", "/tmp\0"] {
            #expect(
                failure { () throws(FxferError) in _ = try TokenList.load(path: Array(path.utf8)) }?.code == .noInput
            )
        }
    }

    @Test("a FIFO is read to its end")
    func pipe() async throws {
        let path = self.folder("pipe")
        try once { mkfifo(path, 0o600) }
        let writer = Task.detached { try self.folder.fill("pipe", with: "alice:\(Self.one)\n") }
        #expect(try TokenList.load(path: Array(path.utf8)).entries.map(\.name) == ["alice"])
        try await writer.value
    }

    @Test("a client takes a file with one token")
    func client() throws {
        let path = try self.folder.write("# mine\nalice:\(Self.one):upload\n", to: "token")
        #expect(try TokenList.loadToken(path: path).text == Self.one)
        try self.folder.write("a:\(Self.one)\nb:\(Self.two)\n", to: "token")
        let error = failure(secrets: [Self.one, Self.two]) { () throws(FxferError) in
            _ = try TokenList.loadToken(path: path)
        }
        #expect(error?.code == .noInput)
    }
}

extension TemporaryFolder {
    /// Writes to a FIFO, once it is read.
    fileprivate func fill(_ name: String, with text: String) throws {
        let file = try OwnedDescriptor.open(CPath(self(name)), O_WRONLY)
        let number = file.number
        try retrying { Glibc.write(number, text, text.utf8.count) }
    }
}
