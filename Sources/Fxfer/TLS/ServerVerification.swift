import FxferNetwork
import FxferProtocol
import FxferStorage
import FxferTrust
import NIOCore
import NIOSSL
import Synchronization

/// Decides, for one connection, whether the server's key is the one that is expected. It is asked in the middle of the
/// handshake, before a word of this protocol is sent; a server that does not own its key fails after that.
final class ServerVerification: Sendable {
    private let trust: ServerTrust
    private let server: Endpoint
    private let verdict = Mutex<FxferError?>(nil)

    init(_ trust: ServerTrust, of server: Endpoint) {
        self.trust = trust
        self.server = server
    }

    /// Why the server was refused; nil where it was not.
    var failure: FxferError? { self.verdict.withLock { $0 } }

    /// Whether certificates are judged here, not by their signatures.
    var judgesKeys: Bool {
        if case .authorities = self.trust { false } else { true }
    }

    /// NIOSSL's callback.
    func verify(_ chain: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResult>) {
        promise.completeWithTask {
            do {
                guard let leaf = chain.first else { throw NIOSSLError.noCertificateToValidate }
                try await self.judge(ServerCertificate(leaf).fingerprint)
                return .certificateVerified
            } catch {
                self.verdict.withLock { $0 = FxferError(wrapping: error) }
                return .failed
            }
        }
    }

    private func judge(_ fingerprint: KeyFingerprint) async throws {
        switch self.trust {
        case .key(let expected):
            guard fingerprint == expected else { throw self.wrongKey(fingerprint, expected) }
        case .knownHosts(let hosts):
            let name = "\(self.server)"
            let known = try await DiskPool.shared.run { try hosts?.fingerprint(of: name) }
            guard let hosts, let known, fingerprint != known.fingerprint else { return }
            throw FxferError.changedKey(of: self.server, to: fingerprint, known, in: hosts)
        case .authorities:
            preconditionFailure("BoringSSL judges certificates that authorities sign")
        }
    }

    private func wrongKey(_ found: KeyFingerprint, _ expected: KeyFingerprint) -> FxferError {
        FxferError(
            .notPermitted,
            "\(self.server) has the key \(found), not \(expected) as --server-key says: it is another server, or someone "
                + "stands between; nothing was sent"
        )
    }
}

extension FxferError {
    /// What the user is told of a server whose key is not the one that is remembered.
    fileprivate static func changedKey(
        of server: Endpoint,
        to found: KeyFingerprint,
        _ known: (fingerprint: KeyFingerprint, line: Int),
        in hosts: KnownHosts
    ) -> FxferError {
        FxferError(
            .notPermitted,
            "THE KEY OF \(server) HAS CHANGED: someone may stand between you and the server, or it has a new identity. It "
                + "was \(known.fingerprint) and is \(found). Nothing was sent. If its operator confirms the new one (the "
                + "server prints it at its start), remove line \(known.line) of \(EscapedText.escape(hosts.path))"
        )
    }
}

extension ServerTrust {
    /// Remembers the key of a server that has done everything to be believed.
    ///
    /// - Returns: nil where it was known or need not be.
    /// - Throws: `notPermitted` where another program has remembered another key of this server since it was looked at.
    func remember(
        _ fingerprint: KeyFingerprint,
        of server: Endpoint,
        isProven: Bool
    ) async throws -> FirstContact? {
        guard case .knownHosts(let hosts) = self else { return nil }
        let name = "\(server)"
        guard let hosts else {
            let failure = FxferError(.io, "neither XDG_CONFIG_HOME nor HOME is set")
            return FirstContact(server: server, fingerprint: fingerprint, isProven: isProven, failure: failure)
        }
        return try await DiskPool.shared.run {
            if let known = try hosts.fingerprint(of: name) {
                guard known.fingerprint == fingerprint else {
                    throw FxferError.changedKey(of: server, to: fingerprint, known, in: hosts)
                }
                return nil
            }
            var failure: FxferError?
            do throws(FxferError) {
                try hosts.record(fingerprint, of: name)
            } catch {
                // Between the two calls, too, another program may have been first.
                if let known = try hosts.fingerprint(of: name), known.fingerprint != fingerprint {
                    throw FxferError.changedKey(of: server, to: fingerprint, known, in: hosts)
                }
                failure = error
            }
            return FirstContact(server: server, fingerprint: fingerprint, isProven: isProven, failure: failure)
        }
    }
}
