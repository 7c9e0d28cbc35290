internal import CExpat
internal import Glibc

/// Reads an XML document with expat, as far as the caller is interested in it.
///
/// The text comes from whoever may define a domain, and the reader runs as root. A document type
/// declaration is refused: no domain has one, and without one no entity can be declared, so there
/// is nothing to amplify, whatever the version of expat. The depth has the limit of libvirt's own
/// parser (libxml2, 256). How many elements there are has a limit, too, as each takes a hundred times the
/// bytes that it is written in.
final class XMLReader {
  private let parser: XML_Parser
  private let isKept: (_ path: [String], _ namespace: String) -> Bool
  /// The open elements from the root down.
  private var open: [XMLElement] = []
  /// The names of the open elements, those that are not kept included.
  private var path: [String] = []
  /// The depth of the element that is being left out with all that is in it.
  private var skipped: Int?
  private var root: XMLElement?
  private var elements = 0
  private var kept = 0
  /// What this reader, not expat, has against the document.
  private var objection: DomainXMLError?

  /// Not a character of XML, so no part of any name.
  private static let separator: UInt8 = 0x1f
  private static let depthLimit = 256
  /// Expat remembers the name of each, kept or not.
  private static let elementLimit = 131_072
  /// Elements and attributes that are kept: a domain of 4,096 vCPUs, which have a pin each and may be
  /// plugged, has half as many.
  private static let keptLimit = 65_536
  /// Longer than any namespace that a domain's XML means something by.
  private static let namespaceLimit = 100
  /// What stands for a namespace that is longer: that of nobody.
  private static let unknownNamespace = "-"
  /// The namespace that was read last: expat tells it anew for each element, however long it is, and
  /// a document of kilobytes would come to hundreds of megabytes.
  private var lastNamespace = ""

  /// The root element of a document, with those elements below it whose path of names is kept.
  static func root(
    of bytes: [UInt8],
    keeping isKept: @escaping (_ path: [String], _ namespace: String) -> Bool
  ) throws(DomainXMLError) -> XMLElement {
    guard let parser = XML_ParserCreateNS(nil, XML_Char(bitPattern: separator)) else {
      throw DomainXMLError(line: 1, column: 1, "there is no memory to read it")
    }
    defer { XML_ParserFree(parser) }
    return try XMLReader(parser, isKept).read(bytes)
  }

  private init(_ parser: XML_Parser, _ isKept: @escaping ([String], String) -> Bool) {
    self.parser = parser
    self.isKept = isKept
    XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
    XML_SetElementHandler(
      parser,
      { XMLReader.of($0)?.start($1, $2) },
      { data, _ in XMLReader.of(data)?.end() })
    XML_SetCharacterDataHandler(parser) { XMLReader.of($0)?.append($1, Int($2)) }
    XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
      XMLReader.of(data)?.object("a document type declaration, which no VM's XML has")
    }
  }

  private static func of(_ data: UnsafeMutableRawPointer?) -> XMLReader? {
    data.map { Unmanaged<XMLReader>.fromOpaque($0).takeUnretainedValue() }
  }

  private func read(_ bytes: [UInt8]) throws(DomainXMLError) -> XMLElement {
    let status = bytes.withUnsafeBytes { buffer in
      withExtendedLifetime(self) {
        XML_Parse(
          parser, buffer.bindMemory(to: XML_Char.self).baseAddress, Int32(clamping: buffer.count), 1
        )
      }
    }
    if let objection { throw objection }
    guard status == XML_STATUS_OK, let root else {
      let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) }
      throw error(here: "not well-formed XML: \(reason ?? "no root element")")
    }
    return root
  }

  private var line: Int { Int(XML_GetCurrentLineNumber(parser)) }
  private var column: Int { Int(XML_GetCurrentColumnNumber(parser)) + 1 }

  private func error(here sentence: String) -> DomainXMLError {
    DomainXMLError(line: line, column: column, sentence)
  }

  private func object(_ sentence: String) {
    objection = objection ?? error(here: sentence)
    XML_StopParser(parser, XML_Bool(0))
  }

  private func start(
    _ name: UnsafePointer<XML_Char>?, _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
  ) {
    guard objection == nil, let name else { return }
    if path.count >= Self.depthLimit {
      return object("elements within elements, more than \(Self.depthLimit) deep")
    }
    elements += 1
    if elements > Self.elementLimit {
      return object("more than \(Self.elementLimit) elements, which no VM has")
    }
    if skipped != nil { return path.append("") }
    let (length, local) = Self.parts(of: name)
    let localName = String(cString: local)
    path.append(localName)
    let namespace = namespace(name, length)
    guard isKept(path, namespace) else {
      skipped = path.count
      return
    }
    kept += 1 + Self.count(attributes)
    if kept > Self.keptLimit {
      return object("more than \(Self.keptLimit) elements and attributes, which no VM has")
    }
    open.append(
      XMLElement(
        name: localName, namespace: namespace, attributes: Self.list(attributes),
        line: line, column: column))
  }

  private func end() {
    guard objection == nil else { return }
    defer { path.removeLast() }
    if let depth = skipped {
      if depth == path.count { skipped = nil }
      return
    }
    let element = open.removeLast()
    if open.isEmpty {
      root = element
    } else {
      open[open.count - 1].children.append(element)
    }
  }

  private func append(_ text: UnsafePointer<XML_Char>?, _ count: Int) {
    guard skipped == nil, objection == nil, !open.isEmpty, let text else { return }
    open[open.count - 1].text += text.withMemoryRebound(to: UInt8.self, capacity: count) {
      String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
    }
  }

  /// A name as expat gives it: the length of the namespace, and the local name behind the separator.
  private static func parts(
    of name: UnsafePointer<XML_Char>
  ) -> (namespace: Int, local: UnsafePointer<XML_Char>) {
    guard let end = strrchr(name, Int32(separator)) else { return (0, name) }
    return (UnsafePointer(end) - name, UnsafePointer(end) + 1)
  }

  private func namespace(_ name: UnsafePointer<XML_Char>, _ length: Int) -> String {
    if length == 0 { return "" }
    if length > Self.namespaceLimit { return Self.unknownNamespace }
    let bytes = UnsafeRawBufferPointer(start: name, count: length)
    if !lastNamespace.utf8.elementsEqual(bytes) {
      lastNamespace = String(decoding: bytes, as: UTF8.self)
    }
    return lastNamespace
  }

  private static func count(
    _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
  ) -> Int {
    var count = 0
    var next = attributes
    while let place = next, place[0] != nil {
      count += 1
      next = place + 2
    }
    return count
  }

  /// Expat's list of names and values in turn, ended by a null pointer.
  private static func list(
    _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
  ) -> [(name: String, value: String)] {
    var list: [(name: String, value: String)] = []
    var next = attributes
    while let place = next, let name = place[0], let value = place[1] {
      let (length, local) = parts(of: name)
      if length == 0 { list.append((String(cString: local), String(cString: value))) }
      next = place + 2
    }
    return list
  }
}
