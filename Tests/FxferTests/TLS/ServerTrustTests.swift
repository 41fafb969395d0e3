import FxferTrust
import Glibc
import Testing

@testable import Fxfer

@Suite("What a client remembers of a server")
struct ServerTrustTests {
    private static let server = Endpoint(host: "example.org", port: 3000)
    private static let key = KeyFingerprint(subjectPublicKeyInfo: [1])
    private static let other = KeyFingerprint(subjectPublicKeyInfo: [2])

    /// Runs `body` with a place for known hosts that is empty.
    private static func withHosts(_ body: (KnownHosts) async throws -> Void) async throws {
        var name = Array("/tmp/fxfer-trust-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&name).map { String(cString: $0) })
        defer {
            unlink("\(folder)/known_hosts")
            rmdir(folder)
        }
        try await body(KnownHosts(path: Array("\(folder)/known_hosts".utf8)))
    }

    @Test("the first contact is told and remembered, the second is not told")
    func firstContact() async throws {
        try await Self.withHosts { hosts in
            let trust = ServerTrust.knownHosts(hosts)
            let contact = try await trust.remember(Self.key, of: Self.server, isProven: true)
            #expect(contact?.fingerprint == Self.key)
            #expect(contact?.isProven == true)
            #expect(contact?.failure == nil)
            #expect(try await trust.remember(Self.key, of: Self.server, isProven: true) == nil)
            #expect(try hosts.fingerprint(of: "\(Self.server)")?.fingerprint == Self.key)
        }
    }

    @Test("another key that was remembered meanwhile ends the connection, and stays")
    func race() async throws {
        try await Self.withHosts { hosts in
            try hosts.record(Self.other, of: "\(Self.server)")
            let error = await #expect(throws: FxferError.self) {
                try await ServerTrust.knownHosts(hosts).remember(Self.key, of: Self.server, isProven: false)
            }
            #expect(error?.code == .notPermitted)
            #expect(try hosts.fingerprint(of: "\(Self.server)")?.fingerprint == Self.other)
        }
    }

    @Test("without a place to remember, the contact is told with the reason")
    func nowhere() async throws {
        let contact = try await ServerTrust.knownHosts(nil).remember(Self.key, of: Self.server, isProven: false)
        #expect(contact?.failure?.code == .io)
    }

    @Test("what was known by other means is not remembered")
    func otherMeans() async throws {
        for trust in [ServerTrust.key(Self.key), .authorities(file: [])] {
            #expect(try await trust.remember(Self.key, of: Self.server, isProven: false) == nil)
        }
    }
}
