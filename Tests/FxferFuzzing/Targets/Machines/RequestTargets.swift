@testable import FxferProtocol

extension FuzzTarget {
    /// A server gets past with no file that was not asked for, and with no name that could not be stored.
    ///
    /// Input: what is asked and answered, a byte for its kind and some for its values.
    static let requests = FuzzTarget(
        "requests",
        maxLength: 512,
        seeds: [[0, 0, 0, 1, 1, 1, 1, 0], [0, 2, 2, 1], Array(repeating: 3, count: 60), [3, 9] + Array("../x".utf8)]
    ) { bytes in
        var input = FuzzInput(bytes)
        var requests = FileRequests()
        var asked: [FileID: [UInt8]] = [:]
        var check = ListingCheck(7)
        while !input.isEmpty {
            switch input.choice(4) {
            case 0:
                let get = requests.get(try RelativePath(bytes: input.element(of: MemoryStore.names)))
                try require(asked[get.file] == nil, "a number is used twice")
                asked[get.file] = get.path
            case 1:
                let file = FileID(input.choice(8))
                let attributes = FileAttributes(size: 1, isFolder: input.choice(8) == 7)
                let offer = Offer(file: file, path: input.element(of: MemoryStore.names), attributes: attributes)
                let isAsked = asked[file] == offer.path && !attributes.isFolder
                asked[file] = nil
                let isTaken = (try? requests.receive(offer)) != nil
                try require(isTaken == isAsked, "an offer is taken for one that was asked for")
            case 2:
                let file = FileID(input.choice(8))
                let isAsked = asked.removeValue(forKey: file) != nil
                let cancel = FileFailure(file: file, FxferError(.noInput, "x"))
                try require(requests.receive(cancel: cancel) == isAsked, "a file is denied that was not asked for")
            default:
                let name = input.bytes(input.choice(16))
                let entry = Entry(
                    listing: input.choice(8) == 7 ? 6 : 7,
                    kind: .file,
                    permissions: 0,
                    size: 0,
                    modified: FileTime(seconds: 0, nanoseconds: 0),
                    name: name
                )
                do throws(FxferError) {
                    try check.receive(entry)
                } catch {
                    try requireHarmless(error.message, "the reason")
                    continue
                }
                let isName =
                    !name.isEmpty && ![[0x2E], [0x2E, 0x2E]].contains(name)
                    && name.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x2F }
                try require(isName && entry.listing == 7, "a name is taken that is none")
            }
            try require(requests.count == asked.count, "\(requests.count) requests are open, not \(asked.count)")
        }
    }
}
