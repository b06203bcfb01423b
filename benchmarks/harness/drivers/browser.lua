-- What a browser says: eight headers; path and cookie differ in each request, so that nothing
-- which remembers whole heads can flatter itself.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "result.lua")
local host
local number = 0

function init(arguments)
  host = arguments[1]
  math.randomseed(7)
end

local text = "GET /articles/%08x/view?page=%d&ref=front HTTP/1.1\r\n"
  .. "Host: %s\r\n"
  .. "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
  .. "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
  .. "Accept-Language: en-US,en;q=0.5\r\n"
  .. "Accept-Encoding: gzip, deflate, br\r\n"
  .. "Referer: https://www.example.com/front\r\n"
  .. "Cookie: session=%08x%08x; theme=dark\r\n"
  .. "Upgrade-Insecure-Requests: 1\r\n"
  .. "\r\n"

function request()
  number = number + 1
  return string.format(text, number, number % 50, host,
    math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
end
