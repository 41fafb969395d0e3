import FxferProtocol
import NIOHTTP1

/// An object of a list.
struct ListedObject: Hashable, Sendable {
    let key: [UInt8]
    /// In bytes.
    let size: UInt64
    /// When it was written, in seconds since 1970; nil where the store does not say.
    let modified: Int64?
    let tag: String?

    /// How long ago that was by a clock that says `now`; no time where it is not known, so that it is kept.
    func age(at now: Int64) -> Duration { .seconds(now - (self.modified ?? now)) }
}

/// A piece of a list of objects.
struct ListPage: Sendable {
    var objects: [ListedObject] = []
    /// What stands for all keys that go on behind a delimiter, each with it at its end.
    var folders: [[UInt8]] = []
    /// What the next page is asked for by; nil where this is the last.
    var next: String?
    /// The store's clock, in seconds since 1970; nil where it does not say.
    var now: Int64?
}

/// Lists of objects, a page at a time.
extension S3Client {
    /// Objects whose keys begin with `prefix`, in the order of the keys' bytes.
    ///
    /// - Parameters:
    ///   - delimiter: a character behind the prefix at which keys are cut: those that begin alike stand as one folder.
    ///   - limit: how many are asked for at the most.
    ///   - next: of the page before.
    func list(
        _ prefix: [UInt8],
        delimiter: String? = nil,
        limit: Int = 1000,
        after next: String? = nil
    ) async throws -> ListPage {
        var request = S3Request(.GET)
            .asking("list-type", "2")
            .asking("encoding-type", "url")
            .asking("max-keys", "\(limit)")
            .asking("prefix", String(decoding: prefix, as: UTF8.self))
        if let delimiter { request = request.asking("delimiter", delimiter) }
        if let next { request = request.asking("continuation-token", next) }
        // A key has up to 1,024 bytes, three characters each.
        request.answerLimit = 64 << 10 + limit * 4096
        let answer = try await self.perform(request)
        guard let document = answer.document("ListBucketResult") else { throw self.nonsense("no list", request) }
        var page = ListPage()
        page.now = answer.headers.first(name: "date").flatMap(HTTPDate.seconds)
        for element in document.all("Contents") {
            guard let key = element["Key"].flatMap({ PercentEncoding.decode($0.utf8) }), key.starts(with: prefix),
                let size = element["Size"].flatMap({ UInt64($0) }), size <= FileAttributes.maxSize
            else { throw self.nonsense("an object that cannot be", request) }
            let modified = element["LastModified"].flatMap(Self.seconds)
            let tag = element["ETag"].flatMap(S3Answer.tag(of:))
            page.objects.append(ListedObject(key: key, size: size, modified: modified, tag: tag))
        }
        for element in document.all("CommonPrefixes") {
            guard let folder = element["Prefix"].flatMap({ PercentEncoding.decode($0.utf8) }),
                folder.starts(with: prefix), folder.count > prefix.count
            else { throw self.nonsense("a folder that cannot be", request) }
            page.folders.append(folder)
        }
        if document["IsTruncated"] == "true" {
            guard let token = document["NextContinuationToken"], !token.isEmpty, token != next,
                !page.objects.isEmpty || !page.folders.isEmpty
            else { throw self.nonsense("an endless list", request) }
            page.next = token
        }
        return page
    }

    /// Calls `body` with each page of a list.
    ///
    /// - Throws: ``S3Error``, also where keys are not in their order, as those of a list that goes round in a circle;
    ///   what `body` throws; `CancellationError`.
    func forEachPage(
        _ prefix: [UInt8],
        delimiter: String? = nil,
        _ body: (ListPage) async throws -> Void
    ) async throws {
        var next: String?
        // Folders stand for themselves in a page: each kind is in order.
        var (objects, folders) = (KeyOrder(), KeyOrder())
        repeat {
            try Task.checkCancellation()
            let page = try await self.list(prefix, delimiter: delimiter, after: next)
            guard objects.advance(over: page.objects.lazy.map(\.key)), folders.advance(over: page.folders) else {
                throw self.nonsense("keys that are not in their order", S3Request(.GET))
            }
            try await body(page)
            next = page.next
        } while next != nil
    }
}

/// Whether keys come in the order of their bytes, each once.
struct KeyOrder {
    private var last: [UInt8]?

    /// False where one does not come behind the one before.
    mutating func advance(over keys: some Sequence<[UInt8]>) -> Bool {
        for key in keys {
            if let last, !last.lexicographicallyPrecedes(key) { return false }
            self.last = key
        }
        return true
    }
}
