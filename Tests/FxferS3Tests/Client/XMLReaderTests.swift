import Testing

@testable import FxferS3

@Suite("The reader of XML answers")
struct XMLReaderTests {
    private static func read(_ text: String) -> XMLElement? { XMLReader.read(Array(text.utf8)) }

    @Test("reads elements, their text and references")
    func answer() throws {
        let root = try #require(
            Self.read(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <List xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>a &amp; b&#x41;&#66;</Name>
                <Item a='1' b="2"><Key>x</Key></Item><Item><Key/></Item></List>
                """
            )
        )
        #expect(root.name == "List")
        #expect(root["Name"] == "a & bAB")
        #expect(root.all("Item").map { $0["Key"] } == ["x", ""])
        #expect(root["None"] == nil)
    }

    @Test(
        "refuses what no store sends",
        arguments: [
            "", " ", "text", "<a>", "<a></b>", "<a><b></a></b>", "<a/><b/>", "<a>&unknown;</a>", "<a>&#xD800;</a>",
            "<a>&#99999999;</a>", "<a>&amp</a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a><!-- b --></a>",
            "<a><![CDATA[b]]></a>", "<a b></a>", "<a b=c></a>", "<a b='<'></a>", "<?xml", "<a", "<a b='", "<>",
            "<a>b</a>c", "<a><?b?></a>",
        ]
    )
    func refused(text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test("refuses elements that go too deep, and text that is not UTF-8")
    func deep() {
        let deep = String(repeating: "<a>", count: 10_000) + String(repeating: "</a>", count: 10_000)
        #expect(Self.read(deep) == nil)
        #expect(XMLReader.read(Array("<a>".utf8) + [0xFF] + Array("</a>".utf8)) == nil)
    }

    @Test("refuses more elements than a store has to tell of")
    func many() {
        func list(_ count: Int) -> String { "<a>" + String(repeating: "<b/>", count: count) + "</a>" }
        #expect(Self.read(list(20_000))?.children.count == 20_000)
        #expect(Self.read(list(30_000)) == nil)
    }

    @Test("ends with every beginning of an answer")
    func cut() {
        let text = Array("<?xml version='1.0'?><a x='1'><b>c &amp; d</b><c/></a>".utf8)
        for count in text.indices { #expect(XMLReader.read(text.prefix(count)) == nil) }
        #expect(XMLReader.read(text) != nil)
    }
}
