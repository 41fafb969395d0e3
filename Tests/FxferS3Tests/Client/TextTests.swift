import Testing

@testable import FxferS3

@Suite("Texts of requests and answers")
struct TextTests {
    @Test("escapes of URLs are as RFC 3986 has them, and can be taken back")
    func percent() {
        let bytes = (0...255).map { UInt8($0) }
        let text = PercentEncoding.encode(bytes)
        #expect(PercentEncoding.decode(text.utf8) == bytes)
        #expect(PercentEncoding.encode("a/b ~+é".utf8) == "a%2Fb%20~%2B%C3%A9")
        #expect(PercentEncoding.encode("a/b".utf8, keepsSlashes: true) == "a/b")
        #expect(PercentEncoding.decode("a+b%2B".utf8) == Array("a b+".utf8))
        for bad in ["%", "%4", "%4g", "%%41"] { #expect(PercentEncoding.decode(bad.utf8) == nil) }
    }

    @Test(
        "base64 is as RFC 4648 has it",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
    )
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
    }

    @Test("dates of headers are read")
    func dates() {
        #expect(HTTPDate.seconds("Fri, 24 May 2013 00:00:00 GMT") == 1_369_353_600)
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:01 GMT") == 1)
        for bad in ["", "Fri, 24 May 2013 00:00:00", "Fri, 99 May 2013 00:00:00 GMT", "Fri, 24 Foo 2013 00:00:00 GMT"] {
            #expect(HTTPDate.seconds(bad) == nil)
        }
        #expect(S3Client.seconds("2013-05-24T00:00:00.000Z") == 1_369_353_600)
    }

    @Test("an entity tag loses its quotation marks; what could not be told again is none")
    func tags() {
        #expect(S3Answer.tag(of: "\"abc-2\"") == "abc-2")
        #expect(S3Answer.tag(of: "abc") == "abc")
        for bad in ["", "\"\"", "a\"b", "a b", "a\r\n", String(repeating: "a", count: 300)] {
            #expect(S3Answer.tag(of: bad) == nil)
        }
    }
}
