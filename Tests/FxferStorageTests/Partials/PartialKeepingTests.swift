import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Keeping partials")
struct PartialKeepingTests {
    typealias Sample = PartialSample

    @Test(
        "leaves what is verified where that is wished, and nothing else",
        arguments: [0, 1, 3],
        [true, false]
    )
    func matrix(chunks: Int, isKeeping: Bool) async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await subject.beginFresh()
        try await subject.send(upTo: chunks * Sample.chunk, to: file)
        try await file.append(ByteBuffer(bytes: [1, 2, 3]))
        await file.discard(keepingPartial: isKeeping)
        await file.discard(keepingPartial: !isKeeping)
        let isKept = isKeeping && chunks > 0
        #expect(try subject.partialFiles() == (isKept ? [Sample.journal, Sample.part] : []))
        if isKept { #expect(try subject.folder.bytes(of: Sample.part).count == chunks * Sample.chunk) }
        #expect(try subject.published() == [])
    }

    @Test("a try that ends before it knows what is there leaves what was there, and no empty files", arguments: [0, 3])
    func endsWhileVerifying(chunks: Int) async throws {
        let subject = try await DirectoryUnderTest()
        if chunks > 0 { try await subject.leave(upTo: chunks * Sample.chunk) }
        let before = try subject.partialFiles()
        #expect(before.count == (chunks > 0 ? 2 : 0))
        do {
            let partial = subject.store.partials
            guard case .held(var file) = try partial.claim(Sample.name) else { throw UnexpectedStaging() }
            let header = PartialHeader(path: Sample.path, created: .now(), size: UInt64(Sample.size), modified: nil)
            #expect(try file.openJournal(header))
            _ = try PartialVerifier(file, upTo: UInt64(Sample.size))
        }
        #expect(try subject.partialFiles() == before)
        if chunks > 0 { try await subject.expectResumption(at: chunks * Sample.chunk) }
    }

    @Test("leaves nothing of a file that nobody refers to any more")
    func forgotten() async throws {
        let subject = try await DirectoryUnderTest()
        try await subject.send(upTo: 3 * Sample.chunk, to: subject.beginFresh())
        #expect(try subject.partialFiles() == [])
    }

    @Test("is a matter of option: none is where that says 0")
    func none() async throws {
        var options = DirectoryStore.Options()
        options.keepPartialsFor = .zero
        let folder = try TemporaryFolder()
        try await DirectoryUnderTest(in: folder).leave(upTo: 3 * Sample.chunk)
        let subject = try await DirectoryUnderTest(in: folder, options: options)
        #expect(subject.store.leftoversRemoved == 1)
        try await subject.leave(upTo: 3 * Sample.chunk)
        #expect(try subject.partialFiles() == [])
    }

    @Test("ends when they are older than the option says, at a start and when asked for", arguments: [true, false])
    func expiry(isStart: Bool) async throws {
        let folder = try TemporaryFolder()
        let subject = try await DirectoryUnderTest(in: folder)
        try await subject.leave(upTo: 3 * Sample.chunk)
        for (age, isKept) in [(23 * 60 * 60, true), (25 * 60 * 60, false)] as [(Int64, Bool)] {
            try folder.age(Sample.journal, by: age)
            let removed =
                isStart
                ? try await DirectoryUnderTest(in: folder).store.leftoversRemoved
                : try await subject.store.expirePartials()
            #expect(removed == (isKept ? 0 : 1))
            #expect(try subject.partialFiles() == (isKept ? [Sample.journal, Sample.part] : []))
        }
        try await subject.expectNewBeginning()
    }

    @Test("does not depend on the time that the sender's file has, which the partial gets just before it is published")
    func sealed() async throws {
        let folder = try TemporaryFolder()
        let subject = try await DirectoryUnderTest(in: folder)
        try await subject.leave(upTo: Sample.size)
        try folder.age(Sample.part, by: 100_000_000)
        try folder.setMode(Sample.part, 0o644)
        let next = try await DirectoryUnderTest(in: folder)
        #expect(next.store.leftoversRemoved == 0)
        try await next.expectResumption(at: Sample.size)
    }

    @Test("drops the oldest where all are too much together", arguments: [(3, 0), (2, 1), (1, 2), (0, 3)])
    func bound(kept: Int, removed: Int) async throws {
        let folder = try TemporaryFolder()
        let subject = try await DirectoryUnderTest(in: folder)
        let names = ["oldest", "middle", "newest"]
        for (index, name) in names.enumerated() {
            try await subject.leave(upTo: Sample.chunk, of: path(name))
            let journal = try #require(PartialName(for: path(name), prefix: []).journal)
            try folder.age(".fxfer/partials/" + String(decoding: journal.bytes, as: UTF8.self), by: Int64(90 - index))
        }
        var options = DirectoryStore.Options()
        options.maxPartialBytes = UInt64(kept * Sample.chunk)
        let next = try await DirectoryUnderTest(in: folder, options: options)
        #expect(next.store.leftoversRemoved == removed)
        let rest = try await DirectoryStore.partials(in: Array(folder.path.utf8))
        #expect(Set(rest.map(\.path)) == Set(try names.suffix(kept).map(path)))
        #expect(try await next.store.expirePartials() == 0)
    }

    @Test("makes room for the newest, and keeps none that is too large alone")
    func boundWhenLeft() async throws {
        var options = DirectoryStore.Options()
        options.maxPartialBytes = UInt64(5 * Sample.chunk)
        let subject = try await DirectoryUnderTest(options: options)
        try await subject.leave(upTo: 3 * Sample.chunk, of: path("old"))
        let inUse = try await subject.beginFresh(path("in use"))
        try await subject.send(upTo: 5 * Sample.chunk, to: inUse)
        let journal = try #require(PartialName(for: path("old"), prefix: []).journal)
        try subject.folder.age(".fxfer/partials/" + String(decoding: journal.bytes, as: UTF8.self), by: 10)
        func left() async throws -> [RelativePath] {
            try await DirectoryStore.partials(in: Array(subject.folder.path.utf8)).filter { !$0.isInUse }.map(\.path)
        }
        try await subject.leave(upTo: 6 * Sample.chunk, of: path("huge"))
        #expect(try await left() == [path("old")])
        try await subject.leave(upTo: 2 * Sample.chunk, of: path("small"))
        #expect(try await left() == [path("old"), path("small")])
        try await subject.leave(upTo: 4 * Sample.chunk, of: path("new"))
        #expect(try await left() == [path("new")])
        await inUse.discard(keepingPartial: false)
        #expect(try subject.published() == [])
    }

    enum Garbage: CaseIterable {
        case contentAlone, emptyContentAlone, journalAlone, damagedHeader, emptyJournal, noRecord, linkForJournal
    }

    @Test("is not for those that are of no use, which go at the next start", arguments: Garbage.allCases)
    func garbage(garbage: Garbage) async throws {
        let folder = try TemporaryFolder()
        try await DirectoryUnderTest(in: folder).leave(upTo: 3 * Sample.chunk)
        try await DirectoryUnderTest(in: folder).leave(upTo: 3 * Sample.chunk, of: path("good"))
        try folder.write([1], to: "published")
        switch garbage {
        case .contentAlone: try folder.remove(Sample.journal)
        case .emptyContentAlone:
            try folder.remove(Sample.journal)
            try folder.cut(Sample.part, to: 0)
        case .journalAlone: try folder.remove(Sample.part)
        case .damagedHeader: try folder.flip(at: 12, in: Sample.journal)
        case .emptyJournal: try folder.cut(Sample.journal, to: 0)
        case .noRecord: try folder.cut(Sample.journal, to: Sample.headerSize)
        case .linkForJournal:
            try folder.remove(Sample.journal)
            try folder.link(Sample.journal, to: "../../published")
        }
        let subject = try await DirectoryUnderTest(in: folder)
        #expect(subject.store.leftoversRemoved == 1)
        #expect(try await DirectoryStore.partials(in: Array(folder.path.utf8)).map(\.path) == [path("good")])
        #expect(try subject.partialFiles().count == 2)
        #expect(try folder.bytes(of: "published") == [1])
        #expect(try await subject.resume(path("good")).position == UInt64(3 * Sample.chunk))
    }
}
