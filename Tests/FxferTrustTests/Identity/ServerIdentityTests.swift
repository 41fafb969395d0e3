import FxferProtocol
import FxferStorage
import Glibc
import Testing

@testable import FxferTrust

@Suite struct ServerIdentityTests {
    private let folder: TemporaryFolder

    init() throws { self.folder = try TemporaryFolder() }

    @Test("an identity is made once, for this user only, with the folders above it")
    func made() throws {
        let directory = self.folder.bytes("a/b")
        let (first, isNew) = try ServerIdentity.loadOrMake(in: directory)
        #expect(isNew)
        let (second, isNewAgain) = try ServerIdentity.loadOrMake(in: directory)
        #expect(!isNewAgain)
        #expect(second.fingerprint == first.fingerprint)
        #expect(second.certificateDigest == first.certificateDigest)
        #expect(second.certificateChainPEM == first.certificateChainPEM)
        #expect(second.privateKeyPEM == first.privateKeyPEM)
        #expect(try self.folder.names(in: "a/b") == ["identity.pem"])
        #expect(try self.folder.mode(of: "a") == 0o700)
        #expect(try self.folder.mode(of: "a/b") == 0o700)
        #expect(try self.folder.mode(of: "a/b/identity.pem") == 0o600)
    }

    @Test("no two are the same")
    func different() throws {
        let one = try ServerIdentity.loadOrMake(in: self.folder.bytes("one")).identity
        let other = try ServerIdentity.loadOrMake(in: self.folder.bytes("other")).identity
        #expect(one.fingerprint != other.fingerprint)
        #expect(one.certificateDigest != other.certificateDigest)
    }

    @Test("of many that make one at once, all get that of the first")
    func atOnce() async throws {
        let directory = self.folder.bytes("new")
        let results = try await withThrowingTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    let (identity, isNew) = try ServerIdentity.loadOrMake(in: directory)
                    return (identity.fingerprint, isNew)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(results.map(\.0)).count == 1)
        #expect(results.count { $0.1 } == 1)
        #expect(try self.folder.names(in: "new") == ["identity.pem"])
    }

    @Test("what one that was killed has left is removed")
    func leftovers() throws {
        try self.folder.write("", to: ".new-identity-left")
        try self.folder.write("mine", to: "identity.pem.bak")
        #expect(try ServerIdentity.loadOrMake(in: Array(self.folder.path.utf8)).isNew)
        #expect(try self.folder.names() == ["identity.pem", "identity.pem.bak"])
    }

    @Test("nothing that is printed of it shows the key")
    func secret() throws {
        let identity = try ServerIdentity.loadOrMake(in: self.folder.bytes("new")).identity
        let text = shown(identity)
        #expect(text.contains(identity.fingerprint.description))
        #expect(!text.contains("PRIVATE"))
        #expect(!text.contains("privateKeyPEM"))
    }

    @Test("a path that is none is refused", arguments: [[], [0x2F, 0x74, 0x6D, 0x70, 0x2F, 0]])
    func noPath(path: [UInt8]) {
        #expect(failure { () throws(FxferError) in _ = try ServerIdentity.loadOrMake(in: path) }?.code == .cannotCreate)
    }

    /// The code of the failure to load what is in the folder, which is afterwards as it was.
    private func refusal(sourceLocation: SourceLocation = #_sourceLocation) throws -> FxferError? {
        let before = try self.folder.names()
        let error = failure(secrets: ["PRIVATE KEY"], sourceLocation: sourceLocation) { () throws(FxferError) in
            _ = try ServerIdentity.loadOrMake(in: Array(self.folder.path.utf8))
        }
        #expect(try self.folder.names() == before, sourceLocation: sourceLocation)
        #expect(error?.message.contains(self.folder("identity.pem")) == true, sourceLocation: sourceLocation)
        return error
    }

    @Test("one that others have access to is refused, not mended", arguments: [0o604, 0o640, 0o620, 0o601] as [mode_t])
    func readable(mode: mode_t) throws {
        _ = try ServerIdentity.loadOrMake(in: Array(self.folder.path.utf8))
        try once { chmod(self.folder("identity.pem"), mode) }
        #expect(try self.refusal()?.code == .notPermitted)
        #expect(try self.folder.mode(of: "identity.pem") == mode)
    }

    @Test("one of another user is refused", .enabled(if: geteuid() == 0))
    func foreign() throws {
        _ = try ServerIdentity.loadOrMake(in: Array(self.folder.path.utf8))
        try once { chown(self.folder("identity.pem"), 12345, 0) }
        #expect(try self.refusal()?.code == .notPermitted)
    }

    @Test("a symbolic link is not followed")
    func link() throws {
        _ = try ServerIdentity.loadOrMake(in: self.folder.bytes("other"))
        try once { symlink(self.folder("other/identity.pem"), self.folder("identity.pem")) }
        #expect(try self.refusal()?.code == .notPermitted)
        try once { unlink(self.folder("identity.pem")) }
        try once { symlink(self.folder("missing"), self.folder("identity.pem")) }
        #expect(try self.refusal()?.code == .notPermitted)
    }

    @Test("a FIFO or a folder is no identity, and nothing waits for it")
    func otherKinds() throws {
        try once { mkfifo(self.folder("identity.pem"), 0o600) }
        #expect(try self.refusal()?.code == .noInput)
        try once { unlink(self.folder("identity.pem")) }
        try once { mkdir(self.folder("identity.pem"), 0o700) }
        #expect(try self.refusal()?.code == .noInput)
    }

    @Test("a file that is too large is refused")
    func large() throws {
        _ = try ServerIdentity.loadOrMake(in: self.folder.bytes("other"))
        let whole = try self.folder.content(of: "other/identity.pem")
        let padding = [UInt8](repeating: UInt8(ascii: "\n"), count: (1 << 20) - whole.count)
        try self.folder.write(whole + padding, to: "identity.pem")
        #expect(try ServerIdentity.loadOrMake(in: Array(self.folder.path.utf8)).isNew == false)
        try self.folder.write(whole + padding + [10], to: "identity.pem")
        #expect(try self.refusal()?.code == .noInput)
    }

    @Test("key and certificate of two identities are none")
    func mixed() throws {
        let one = try ServerIdentity.loadOrMake(in: self.folder.bytes("one")).identity
        let other = try ServerIdentity.loadOrMake(in: self.folder.bytes("other")).identity
        try self.folder.write(one.privateKeyPEM + other.certificateChainPEM, to: "identity.pem")
        #expect(try self.refusal()?.code == .noInput)
    }

    @Test("a key of another kind or encrypted is refused", arguments: [TestKey.Kind.rsa, .p384, .ed25519])
    func otherKeys(kind: TestKey.Kind) throws {
        let key = try TestKey(kind)
        let certificate = try key.certificate(by: TestKey(.p256))
        try self.folder.write(key.pem + certificate, to: "identity.pem")
        #expect(try self.refusal()?.code == .noInput)
        try self.folder.write(key.encrypted() + certificate, to: "identity.pem")
        #expect(try self.refusal()?.code == .noInput)
    }

    @Test(
        "garbage is refused and stays as it is",
        arguments: ["", "\n", "garbage", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nAAAA\n"]
    )
    func garbage(text: String) throws {
        try self.folder.write(text, to: "identity.pem")
        #expect(try self.refusal()?.code == .noInput)
        #expect(try self.folder.text(of: "identity.pem") == text)
    }
}
