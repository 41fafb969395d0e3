import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("The folder of states")
struct StatesFolderTests {
    private let folder: TemporaryFolder
    private let kept: StatesFolder
    private let bytes = testBytes(1000)
    private let states: HashStates
    private let digest: Digest

    init() throws {
        self.folder = try TemporaryFolder()
        self.kept = StatesFolder(try self.folder.open())
        var hash = SteppedHash(HashStates(interval: 64))
        hash.update(ByteBuffer(bytes: self.bytes))
        self.states = hash.states
        self.digest = hash.digest()
    }

    private func save() {
        self.kept.save(self.states, for: self.digest, size: 1000)
    }

    private func load() -> [HashState]? {
        self.kept.load(for: self.digest, size: 1000)?.states
    }

    @Test("keeps one file for a content, named by its digest, for this user alone")
    func keeping() throws {
        #expect(self.load() == nil)
        self.save()
        #expect(self.load() == self.states.states)
        #expect(try self.folder.names() == [self.digest.hex])
        #expect(try self.folder.status(of: self.digest.hex)?.permissions == 0o600)
        #expect(self.kept.load(for: self.digest, size: 999) == nil)
        #expect(self.kept.load(for: .ofNothing, size: 1000) == nil)
    }

    @Test("a damaged file is as good as none, and the next one takes its place")
    func damage() throws {
        self.save()
        try self.folder.flip(at: 100, in: self.digest.hex)
        #expect(self.load() == nil)
        self.save()
        #expect(self.load() == self.states.states)
        try self.folder.cut(self.digest.hex, to: 100)
        #expect(self.load() == nil)
        try self.folder.cut(self.digest.hex, to: 1 << 40)
        #expect(self.load() == nil)
    }

    @Test("a link under the name is not followed, neither to read nor to write")
    func link() throws {
        self.save()
        let outside = try TemporaryFolder()
        let content = try self.folder.bytes(of: self.digest.hex)
        try outside.write(content, to: "target")
        try self.folder.remove(self.digest.hex)
        try self.folder.link(self.digest.hex, to: outside("target"))
        #expect(self.load() == nil)
        try outside.write([1, 2, 3], to: "target")
        self.save()
        #expect(try outside.bytes(of: "target") == [1, 2, 3])
        #expect(self.load() == self.states.states)
    }

    @Test("a FIFO or a folder under the name blocks nothing and leaves nothing behind")
    func otherKinds() throws {
        try self.folder.makePipe(self.digest.hex)
        #expect(self.load() == nil)
        self.save()
        #expect(self.load() == self.states.states)
        try self.folder.remove(self.digest.hex)
        try self.folder.makeFolder(self.digest.hex)
        self.save()
        #expect(self.load() == nil)
        #expect(try self.folder.names() == [self.digest.hex])
    }

    @Test("a full disk leaves neither states nor anything else", .enabled(if: Mount.isPossible))
    func fullDisk() throws {
        try self.folder.makeFolder("small")
        let mount = try Mount(.tmpfs(kilobytes: 64, readOnly: false), at: self.folder("small"))
        let kept = StatesFolder(try OwnedDescriptor.open(CPath(self.folder("small")), O_RDONLY | O_DIRECTORY))
        var states = HashStates(interval: 64)
        for _ in 0..<3000 { states.add(.initial) }
        kept.save(states, for: self.digest, size: 3001 * 64)
        #expect(kept.load(for: self.digest, size: 3001 * 64) == nil)
        #expect(try self.folder.names(in: "small") == [])
        kept.save(self.states, for: self.digest, size: 1000)
        #expect(kept.load(for: self.digest, size: 1000) != nil)
        mount.end()
    }

    @Test("lists digests and removes what is kept for one; other names are left alone")
    func listing() throws {
        self.save()
        let others = ["x", self.digest.hex.uppercased(), self.digest.hex + "0", String(repeating: "+1", count: 32)]
        for name in others { try self.folder.write([1], to: name) }
        #expect(try self.kept.digests() == [self.digest])
        self.kept.remove(.ofNothing)
        self.kept.remove(self.digest)
        #expect(try self.kept.digests() == [])
        #expect(try self.folder.names() == others.sorted())
    }

    @Test("what killed savers left is swept, and nothing else")
    func sweeping() throws {
        self.save()
        let leftover = String(repeating: "0", count: 32) + ".tmp"
        for name in [leftover, "x.tmp"] { try self.folder.write([1], to: name) }
        self.kept.sweep()
        #expect(try self.folder.names() == [self.digest.hex, "x.tmp"].sorted())
    }
}
