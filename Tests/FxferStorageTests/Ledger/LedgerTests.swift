import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("The ledger")
struct LedgerTests {
    @Test("has a line for each entry, and each has the hash of the one before")
    func chain() throws {
        let subject = try LedgerUnderTest()
        let entries = try ["a", "b/c", "d"].map { try LedgerUnderTest.entry($0) }
        let ledger = try subject.open()
        let hashes = try ledger.append([entries[0]]) + ledger.append([entries[1], entries[2]])
        let lines = try subject.lines().map { try #require(LedgerLine($0.dropLast())) }
        #expect(lines.map(\.entry) == entries)
        #expect(lines.map(\.hash) == hashes)
        #expect(lines.map(\.previous) == [.zero, hashes[0], hashes[1]])
        #expect(try subject.damagedLines() == [])
    }

    @Test("keeps what is in a line, whatever the name is")
    func names() throws {
        let subject = try LedgerUnderTest()
        var entry = try LedgerUnderTest.entry("a")
        entry.path = try RelativePath(bytes: [0xFF, 0x22, 0x5C, 0xE2, 0x80, 0xAE, 0x41])
        entry.origin = Origin()
        entry.size = .max
        entry.modified = FileTime(seconds: -5, nanoseconds: 999_999_999)
        _ = try subject.open().append([entry])
        guard case .entry(let line)? = try subject.findings().first else { throw CannotStage() }
        #expect(line.entry == entry)
    }

    @Test("tells nobody to look for lines that may be lost with the power")
    func verified() throws {
        let subject = try LedgerUnderTest()
        let ledger = try subject.open()
        _ = try ledger.append([LedgerUnderTest.entry("a")])
        let head = try subject.folder.bytes(of: LedgerUnderTest.head)
        let length = try subject.folder.bytes(of: LedgerUnderTest.name).count
        var entry = try LedgerUnderTest.entry("b")
        entry.durability = .verified
        _ = try ledger.append([entry])
        #expect(try subject.folder.bytes(of: LedgerUnderTest.head) == head)
        #expect(try subject.paths() == ["a", "b"])
        try subject.folder.write(
            Array(subject.folder.bytes(of: LedgerUnderTest.name).prefix(length)),
            to: LedgerUnderTest.name
        )
        _ = try subject.open().append([LedgerUnderTest.entry("c")])
        #expect(try subject.paths() == ["a", "c"])
        #expect(try subject.folder.bytes(of: LedgerUnderTest.head) != head)
    }

    @Test("goes on after it was closed")
    func reopened() throws {
        let subject = try LedgerUnderTest()
        _ = try subject.open().append([LedgerUnderTest.entry("a")])
        _ = try subject.open().append([LedgerUnderTest.entry("b")])
        #expect(try subject.paths() == ["a", "b"])
    }

    @Test("is one for several who add to it in turn")
    func shared() throws {
        let subject = try LedgerUnderTest()
        let (first, second) = (try subject.open(), try subject.open())
        for name in ["a", "b", "c"] {
            _ = try first.append([LedgerUnderTest.entry(name)])
            _ = try second.append([LedgerUnderTest.entry(name + "2")])
        }
        #expect(try subject.paths() == ["a", "a2", "b", "b2", "c", "c2"])
        #expect(try first.latest(for: path("c2"))?.entry == LedgerUnderTest.entry("c2"))
        let hashes = try second.append(["d", "b", "e"].map { try LedgerUnderTest.entry($0, size: 7) })
        #expect(try first.latest(for: path("b"))?.hash == hashes[1])
        #expect(try first.latest(for: path("e"))?.hash == hashes[2])
        #expect(try first.latest(for: path("a"))?.entry == LedgerUnderTest.entry("a"))
    }

    @Test("is not waited for without end where another program has it locked")
    func locked() async throws {
        let subject = try LedgerUnderTest()
        let ledger = try Ledger(subject.impatientFiles())
        _ = try ledger.append([LedgerUnderTest.entry("a")])
        let other = try #require(try subject.files().openForReading())
        try other.lock(until: .now())
        let bytes = try subject.folder.bytes(of: LedgerUnderTest.name)
        #expect(await failureCode { _ = try ledger.append([LedgerUnderTest.entry("b")]) } == .busy)
        #expect(await failureCode { _ = try ledger.latest(for: path("a")) } == .busy)
        #expect(await failureCode { _ = try Ledger(subject.impatientFiles()) } == .busy)
        #expect(await failureCode { _ = try LedgerContent(of: subject.impatientFiles()) } == .busy)
        #expect(
            await failureCode { _ = try LedgerCompaction(subject.impatientFiles(), keeping: { _ in true }).run() }
                == .busy
        )
        #expect(try subject.folder.bytes(of: LedgerUnderTest.name) == bytes)
        other.unlock()
        _ = try ledger.append([LedgerUnderTest.entry("c")])
        #expect(try subject.paths() == ["a", "c"])
    }

    @Test("takes entries from many threads at once")
    func concurrent() async throws {
        let subject = try LedgerUnderTest()
        let ledger = try subject.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try await DiskPool.shared.run { _ = try ledger.append([LedgerUnderTest.entry("f\(number)")]) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try subject.damagedLines() == [])
        #expect(try Set(subject.paths()).count == 50)
    }

    @Test("knows the last entry of a path")
    func latest() throws {
        let subject = try LedgerUnderTest()
        let ledger = try subject.open()
        _ = try ledger.append([LedgerUnderTest.entry("a", size: 1), LedgerUnderTest.entry("b", size: 2)])
        #expect(try ledger.latest(for: path("a"))?.entry.size == 1)
        let hash = try ledger.append([LedgerUnderTest.entry("a", size: 3)])
        #expect(try ledger.latest(for: path("a"))?.entry.size == 3)
        #expect(try ledger.latest(for: path("a"))?.hash == hash.first)
        #expect(try ledger.latest(for: path("c")) == nil)
        #expect(try subject.open().latest(for: path("b"))?.entry.size == 2)
    }

    @Test("loses a line that a crash has torn, wherever, and nothing else")
    func torn() throws {
        let subject = try LedgerUnderTest()
        _ = try subject.open().append(["a", "b"].map { try LedgerUnderTest.entry($0) })
        let whole = try subject.folder.bytes(of: LedgerUnderTest.name)
        _ = try subject.open().append([LedgerUnderTest.entry("c")])
        let longer = try subject.folder.bytes(of: LedgerUnderTest.name)
        // The head is behind after a crash, too.
        try subject.folder.write(LedgerHead.empty.encoded, to: LedgerUnderTest.head)
        for count in whole.count..<longer.count {
            try subject.folder.write(Array(longer.prefix(count)), to: LedgerUnderTest.name)
            let ledger = try subject.open()
            #expect(ledger.wasMended == (count > whole.count))
            #expect(try subject.folder.bytes(of: LedgerUnderTest.name) == whole)
        }
        _ = try subject.open().append([LedgerUnderTest.entry("d")])
        #expect(try subject.paths() == ["a", "b", "d"])
    }

    @Test("loses zeros that a loss of power has left at its end, however many", arguments: [1, 70_000, 300_000])
    func zeros(count: Int) throws {
        let subject = try LedgerUnderTest()
        _ = try subject.open().append([LedgerUnderTest.entry("a")])
        let whole = try subject.folder.bytes(of: LedgerUnderTest.name)
        _ = try subject.open().append([LedgerUnderTest.entry("b")])
        let longer = try subject.folder.bytes(of: LedgerUnderTest.name)
        try subject.folder.write(LedgerHead.empty.encoded, to: LedgerUnderTest.head)
        let zeros = [UInt8](repeating: 0, count: count)
        for length in [0, whole.count, whole.count + 100, longer.count] {
            try subject.folder.write(longer.prefix(length) + zeros, to: LedgerUnderTest.name)
            #expect(try subject.open().wasMended)
            let left = length == longer.count ? longer : length < whole.count ? [] : whole
            #expect(try subject.folder.bytes(of: LedgerUnderTest.name) == left)
        }
    }

    @Test("is not gone on with where its end was changed or cut")
    func damagedEnd() async throws {
        let subject = try LedgerUnderTest()
        _ = try subject.open().append(["a", "b"].map { try LedgerUnderTest.entry($0) })
        let (lines, head) = (try subject.lines(), try subject.folder.bytes(of: LedgerUnderTest.head))
        var changed = lines
        changed[1][changed[1].startIndex + 10] ^= 1
        var unfed = lines
        unfed[1][unfed[1].endIndex - 1] ^= 1
        for other in [changed, unfed, [lines[0]], [], [lines[1], lines[0]]] {
            try subject.write(other)
            let bytes = try subject.folder.bytes(of: LedgerUnderTest.name)
            #expect(await failureCode { _ = try subject.open() } == .damaged)
            #expect(try subject.folder.bytes(of: LedgerUnderTest.name) == bytes)
            #expect(try subject.folder.bytes(of: LedgerUnderTest.head) == head)
        }
    }

    @Test("is not gone on with where somebody has cut it meanwhile")
    func cutMeanwhile() async throws {
        let subject = try LedgerUnderTest()
        let ledger = try subject.open()
        _ = try ledger.append(["a", "b"].map { try LedgerUnderTest.entry($0) })
        let lines = try subject.lines()
        try subject.write([lines[0]])
        #expect(await failureCode { _ = try ledger.append([LedgerUnderTest.entry("c")]) } == .damaged)
        #expect(try subject.lines() == [lines[0]])
    }
}
