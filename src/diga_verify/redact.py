"""Secrets taken out of texts that others wrote: error messages, answers, tracebacks.

What is looked for are the forms that Google's credentials have, and the names that they travel under. Every pattern
takes linear time whatever the text: none can fail after a long scan, for what repeats is possessive.
"""

from __future__ import annotations

import re

MARK = "[secret removed]"
"""What stands where a secret was. No pattern reads past a bracket, so that a second pass finds nothing new."""

_PRIVATE_KEY = re.compile(  # whole, or cut off before its end
    r"-----BEGIN\ (?: [A-Z0-9]{1,16}\ ){0,4} PRIVATE\ KEY (?: \ BLOCK )? -----"
    r"(?s: .*? ) (?: -----END\ [A-Z0-9\ ]{1,80} ----- | \Z )",
    re.VERBOSE,
)

_HEADER = re.compile(  # `Authorization: Basic …`, also as a member of a JSON object or a dict
    r"""(?P<name> authorization (?: -token )? (?: \\*+ ["'] )?+ [ \t]*+ [:=] [ \t]*+ (?: \\*+ ["'] )?+ )
        [^\r\n"'\\\[\]]++""",
    re.VERBOSE | re.IGNORECASE,
)

_NAMED = re.compile(
    r"""(?P<name>
            (?: (?: access | refresh | id | subject | actor | session | security ) [_-]?+ token
              | client [_-]?+ (?: secret | assertion ) | private [_-]?+ key | secret [_-]?+ access [_-]?+ key
              | api [_-]?+ key | x-(?: goog | amz )-signature | signed [_-]?+ jwt
            ) (?: \\*+ ["'] )?+ [ \t]*+ [:=] [ \t]*+
          | (?: assertion | password ) (?: = | \\*+ ["'] [ \t]*+ [:=] [ \t]*+ )
          | [?&] (?: key | code ) =
          | (?<! [\w.-] ) key= (?= [^\s&"'\\<>\[\](){},;/]{16} )
        )
        (?: (?P<quote> \\*+ ["'] ) (?: [^"'\\] | \\++ [^"'\\] )*+
          | [^\s&"'\\<>\[\]()\{\},;]++ )""",
    re.VERBOSE | re.IGNORECASE,
)

_BEARER = re.compile(
    r"""(?P<name> \b bearer [ \t]++ )
        (?! (?: and | auth\w*+ | credentials?+ | or | realm | scheme | tokens?+ ) \b )
        [^\s"'\\<>\[\](){},;]++""",
    re.VERBOSE | re.IGNORECASE,
)

_USERINFO = re.compile(r"""(?<= :// ) [^\s/@:\[\]"']*+ : [^\s/@\[\]"']*+ (?= @ )""", re.VERBOSE)

_TOKEN = re.compile(
    r"""
      ya29\. [\w.~+/%=-]++                                   # access token
    | 1 (?: // | %2[Ff]%2[Ff] ) 0 [\w%-]{16,}+               # refresh token
    | (?<! [\w.:] ) 1// [\w%-]{6,}+
    | AIza [\w-]{10,}+                                       # API key
    | (?<! \w ) AQ\.A [\w-]{20,}+
    | GOCSPX- [\w-]{8,}+                                     # client secret
    | (?: (?<! [A-Za-z0-9] ) | (?<= \\[nrtb] ) ) eyJ [\w-]{6,}+ (?: \. [\w-]*+ ){0,4}    # JWT
    | (?<! [A-Z0-9] ) (?: AKIA | ASIA ) [A-Z0-9]{16} (?! [A-Z0-9] )                      # Amazon
    | gh[oprsu]_ [A-Za-z0-9]{20,}+ | github_pat_ \w{20,}+                                # GitHub
    """,
    re.VERBOSE | re.ASCII,
)


def redact(text: str) -> str:
    """The text with a mark in the place of each secret that can be recognised; any other text as it is.

    Doing it twice changes nothing more. Names of resources, addresses and digests are no secrets.
    """
    text = _PRIVATE_KEY.sub(MARK, text)
    text = _HEADER.sub(rf"\g<name>{MARK}", text)
    text = _NAMED.sub(lambda found: f"{found['name']}{found['quote'] or ''}{MARK}", text)
    text = _BEARER.sub(rf"\g<name>{MARK}", text)
    text = _USERINFO.sub(MARK, text)
    return _TOKEN.sub(MARK, text)
