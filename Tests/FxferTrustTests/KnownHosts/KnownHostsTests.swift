import FxferProtocol
import FxferStorage
import Glibc
import Testing

@testable import FxferTrust

@Suite struct KnownHostsTests {
    private static let one = KeyFingerprint(subjectPublicKeyInfo: [1])
    private static let two = KeyFingerprint(subjectPublicKeyInfo: [2])
    private let folder: TemporaryFolder
    private let hosts: KnownHosts

    init() throws {
        self.folder = try TemporaryFolder()
        self.hosts = KnownHosts(path: self.folder.bytes("new/folder/known_hosts"))
    }

    /// A file with this text.
    private func hosts(_ text: String) throws -> KnownHosts {
        KnownHosts(path: try self.folder.write(text, to: "known_hosts"))
    }

    @Test("nothing is known before something is written down, which makes file and folder for this user only")
    func recording() throws {
        #expect(try self.hosts.fingerprint(of: "host:3000") == nil)
        try self.hosts.record(Self.one, of: "host:3000")
        try self.hosts.record(Self.two, of: "[::1]:3000")
        let first = try #require(try self.hosts.fingerprint(of: "host:3000"))
        #expect(first == (Self.one, 1))
        let second = try #require(try self.hosts.fingerprint(of: "[::1]:3000"))
        #expect(second == (Self.two, 2))
        #expect(try self.hosts.fingerprint(of: "host:3001") == nil)
        #expect(try self.hosts.fingerprint(of: "host") == nil)
        let path = "new/folder/known_hosts"
        #expect(try self.folder.text(of: path) == "host:3000 \(Self.one)\n[::1]:3000 \(Self.two)\n")
        #expect(try self.folder.mode(of: "new") == 0o700)
        #expect(try self.folder.mode(of: path) == 0o600)
    }

    @Test("what is known already is not written again, another key is refused")
    func twice() throws {
        try self.hosts.record(Self.one, of: "host:3000")
        let before = try self.folder.text(of: "new/folder/known_hosts")
        try self.hosts.record(Self.one, of: "HOST:3000")
        let error = failure { () throws(FxferError) in try self.hosts.record(Self.two, of: "host:3000") }
        #expect(error?.code == .notPermitted)
        #expect(try self.folder.text(of: "new/folder/known_hosts") == before)
    }

    @Test("capital letters, comments, white space and foreign line ends do not matter; of two lines the first counts")
    func forms() throws {
        let hosts = try self.hosts(
            "# host:3000 x\r\n\r\n broken\nother:1\n \tHost:3000\t \(Self.one)=  # of alice\r\nhost:3000 \(Self.two)"
        )
        let found = try #require(try hosts.fingerprint(of: "hOST:3000"))
        #expect(found == (Self.one, 5))
    }

    @Test("a line without an end gets one before the next")
    func openLine() throws {
        let hosts = try self.hosts("one:1 \(Self.one)")
        try hosts.record(Self.two, of: "Two:2")
        #expect(try self.folder.text(of: "known_hosts") == "one:1 \(Self.one)\ntwo:2 \(Self.two)\n")
    }

    @Test(
        "a line for the host that cannot be read is an error, even with a good one after it",
        arguments: ["", " SHA256:", " \(one.description.dropLast())", " MD5:abc", " \(one) \(two)", " # \(one)"]
    )
    func brokenLine(rest: String) throws {
        let text = "\nhost:3000\(rest)\nhost:3000 \(Self.one)\n"
        let hosts = try self.hosts(text)
        #expect(failure { () throws(FxferError) in _ = try hosts.fingerprint(of: "host:3000") }?.code == .noInput)
        let error = failure { () throws(FxferError) in try hosts.record(Self.one, of: "host:3000") }
        #expect(error?.code == .noInput)
        #expect(error?.message.contains("line 2 of '\(self.folder("known_hosts"))'") == true)
        #expect(try hosts.fingerprint(of: "other:3000") == nil)
        #expect(try self.folder.text(of: "known_hosts") == text)
    }

    @Test("a name that would not be one word of the file is refused", arguments: ["", "#a:1", "a b:1", "a\n:1", "ä:1"])
    func names(host: String) throws {
        let error = failure { () throws(FxferError) in try self.hosts.record(Self.one, of: host) }
        #expect(error?.code == .usage)
        #expect(try self.folder.names() == [])
    }

    @Test("a file that is too large or no file is refused")
    func otherKinds() throws {
        let hosts = KnownHosts(path: self.folder.bytes("known_hosts"))
        try self.folder.write(String(repeating: "\n", count: (16 << 20) + 1), to: "known_hosts")
        #expect(failure { () throws(FxferError) in _ = try hosts.fingerprint(of: "host:1") }?.code == .noInput)
        #expect(failure { () throws(FxferError) in try hosts.record(Self.one, of: "host:1") }?.code == .noInput)
        try once { unlink(self.folder("known_hosts")) }
        try once { mkfifo(self.folder("known_hosts"), 0o600) }
        #expect(failure { () throws(FxferError) in _ = try hosts.fingerprint(of: "host:1") }?.code == .noInput)
        #expect(failure { () throws(FxferError) in try hosts.record(Self.one, of: "host:1") }?.code == .noInput)
    }

    @Test("of many that write at once none is lost, and of two keys for one host only the first is taken")
    func atOnce() async throws {
        let hosts = self.hosts
        let taken = await withTaskGroup { group in
            for number in 0..<200 {
                group.addTask {
                    let own = KeyFingerprint(subjectPublicKeyInfo: [UInt8(number)])
                    do throws(FxferError) {
                        try hosts.record(own, of: "host\(number):1")
                        try hosts.record(own, of: "shared:1")
                        return 1
                    } catch {
                        #expect(error.code == .notPermitted)
                        return 0
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(taken == 1)
        for number in 0..<200 {
            let own = KeyFingerprint(subjectPublicKeyInfo: [UInt8(number)])
            #expect(try hosts.fingerprint(of: "host\(number):1")?.fingerprint == own)
        }
        let lines = try self.folder.text(of: "new/folder/known_hosts").split(separator: "\n")
        #expect(lines.count == 201)
    }
}
