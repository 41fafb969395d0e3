import FxferProtocol
import Testing

@testable import FxferTrust

@Suite struct IdentityDamageTests {
    private let folder: TemporaryFolder
    private let identity: ServerIdentity
    private let whole: [UInt8]

    init() throws {
        self.folder = try TemporaryFolder()
        self.identity = try ServerIdentity.loadOrMake(in: Array(self.folder.path.utf8)).identity
        self.whole = try self.folder.content(of: "identity.pem")
    }

    /// How many of `contents` are the same identity. The others are refused: none is another one.
    private func countSame(_ contents: some Sequence<[UInt8]>) throws -> Int {
        let opened = try IdentityFolder.open(Array(self.folder.path.utf8))
        var count = 0
        for content in contents {
            do throws(FxferError) {
                let read = try opened.identity(in: content)
                #expect(read.privateKeyPEM == self.identity.privateKeyPEM)
                #expect(read.certificateDigest == self.identity.certificateDigest)
                #expect(read.fingerprint == self.identity.fingerprint)
                count += 1
            } catch {
                #expect(error.code == .noInput)
            }
        }
        return count
    }

    @Test("half an identity is none, wherever it ends")
    func halfWritten() throws {
        // The last line feed can be missing.
        let halves = (0..<self.whole.count - 1).map { Array(self.whole.prefix($0)) }
        #expect(try self.countSame(halves) == 0)
        #expect(try self.countSame([self.whole]) == 1)
    }

    @Test("a bit that is changed anywhere makes no other identity")
    func changedBit() throws {
        let changed = self.whole.indices.map { index in
            var content = self.whole
            content[index] ^= 1 << (index % 8)
            return content
        }
        // Some bits do not matter: in a line feed, or in what follows the last line.
        #expect(try self.countSame(changed) < self.whole.count / 10)
    }
}
