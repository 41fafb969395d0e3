import Foundation
import FxferProtocol
import Testing

@testable import FxferTrust

@Suite struct ProofTests {
    /// A line of `testdata/trust/proofs.txt`, which says what is where.
    struct Vector: Sendable {
        let token: Token
        let role: Proof.Role
        let clientNonce: Nonce
        let serverNonce: Nonce
        let certificate: Digest
        let proof: Digest

        init?(_ line: Substring) {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 6, let token = Token(fields[0].utf8), ["C", "S"].contains(fields[1]) else {
                return nil
            }
            let numbers = fields[2...].map(Self.bytes)
            guard numbers.allSatisfy({ $0.count == 32 }), let certificate = Digest(bytes: numbers[2]),
                let proof = Digest(bytes: numbers[3])
            else { return nil }
            self.token = token
            self.role = fields[1] == "C" ? .client : .server
            self.clientNonce = Nonce(bytes: numbers[0])
            self.serverNonce = Nonce(bytes: numbers[1])
            self.certificate = certificate
            self.proof = proof
        }

        private static func bytes(_ text: String) -> [UInt8] {
            stride(from: 0, to: text.utf8.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
        }
    }

    private static func vectors() throws -> [Vector] {
        let file = URL(filePath: #filePath).appending(path: "../../../../testdata/trust/proofs.txt").standardized
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.first != "#" }
        return try lines.map { try #require(Vector($0)) }
    }

    private static func proof(
        _ vector: Vector,
        token: Token? = nil,
        role: Proof.Role? = nil,
        certificate: Digest? = nil,
        swapped: Bool = false
    ) -> Digest {
        Proof.make(
            token: token ?? vector.token,
            role: role ?? vector.role,
            nonces: swapped
                ? Nonces(client: vector.serverNonce, server: vector.clientNonce)
                : Nonces(client: vector.clientNonce, server: vector.serverNonce),
            certificate: certificate ?? vector.certificate
        )
    }

    @Test("the vectors that another implementation made")
    func vectors() throws {
        let vectors = try Self.vectors()
        #expect(vectors.count == 6)
        for vector in vectors {
            #expect(Self.proof(vector) == vector.proof)
            #expect(Proof.equal(Self.proof(vector), vector.proof))
        }
    }

    @Test("with anything else it is another proof")
    func others() throws {
        for vector in try Self.vectors() {
            let others = [
                Self.proof(vector, token: .random()),
                Self.proof(vector, role: vector.role == .client ? .server : .client),
                Self.proof(vector, certificate: .ofNothing),
                Self.proof(vector, swapped: true),
            ]
            for other in others {
                #expect(other != vector.proof)
                #expect(!Proof.equal(other, vector.proof))
            }
        }
    }

    @Test("proofs that differ in one bit anywhere are not equal")
    func oneBit() throws {
        let bytes = Digest.ofNothing.bytes
        for bit in 0..<256 {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            #expect(!Proof.equal(.ofNothing, try #require(Digest(bytes: other))))
        }
    }

    @Test("a list finds who proves, be it the first or the last, and nobody by a server's proof")
    func list() throws {
        let list = TokenList(entries: (0..<10).map { .init(name: "n\($0)", token: .random(), rights: .list) })
        let (client, server) = (Nonce.random(), Nonce.random())
        func found(_ token: Token, _ role: Proof.Role, _ certificate: Digest = .ofNothing) -> TokenList.Entry? {
            let proof = Proof.make(
                token: token,
                role: role,
                nonces: Nonces(client: client, server: server),
                certificate: certificate
            )
            return list.entry(proving: proof, nonces: Nonces(client: client, server: server), certificate: .ofNothing)
        }
        for entry in list.entries {
            #expect(found(entry.token, .client) == entry)
            #expect(found(entry.token, .server) == nil)
            #expect(found(entry.token, .client, .sha256([])) == entry)
            #expect(found(entry.token, .client, .sha256([1])) == nil)
        }
        #expect(found(.random(), .client) == nil)
    }
}
