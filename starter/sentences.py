"""Whole sentences that tables print, in Chinese, for `--lang zh`. {} is where a value goes in."""

from __future__ import annotations

_CASES = {
    "the term ended without a renewal": "认证期满未续签",
    "the term ended before its renewal was decided": "认证期满,续签尚未决定",
    "the supplement was not handed in in time": "补充材料逾期未提交",
    "the deposit was not paid in full in time": "保证金逾期未足额缴纳",
    "until {}": "至{}",
    "refused before: {}": "此前不予通过:{}次",
    "the quarterly assessment was failed": "季度考核不合格",
    "a later line of the file corrects it": "被本文件后面的行更正",
    "the base was not certified throughout the quarter": "该季度并非全程在认证期内",
    "the quarter is not over": "季度尚未结束",
    "the certification ended by its fail, which can be set aside": "认证因该季度不合格终止,现可撤销原决定",
    "the certification has ended": "认证已终止",
    "the base has not been told yet": "尚未告知基地",
    "it has been confirmed before": "此前已确认",
    "compliance decides on what is unknown": "结果未知,待合规决定",
    "compliance decides on the objection": "异议待合规决定",
    "who decided it does not confirm it": "决定人不得确认",
    "the base may still object": "异议期未满",
    "the term has ended; no worker has carried it out yet": "认证已期满,尚未由工作进程处理",
    "no open deadline is provisional": "没有暂定的期限",
    "in force now": "现行版本",
    "done before": "此前已办理",
    "paid before the application": "款项早于申请",
    "from another payer": "付款人不符",
    "paid after the due date": "款项晚于缴纳期限",
    "more than the deposit required": "超出应缴保证金",
    "Nothing went out by the statement: only what came in was compared.": "对账单没有付出款项,只核对收入。",
    "Money of no case: {} payments. See: livebase deposit unmatched": "未归属款项:{}笔。livebase deposit unmatched",
    "Complaints of the public: {} about {} bases. See: livebase conduct complaints": "公众投诉:{}件,涉及基地{}家。"
    "livebase conduct complaints",
    "No complaints.": "没有投诉。",
    "{} lines from {} to {}: no difference.": "{}行,自{}至{}:没有差异。",
}
_LIST = {
    "not currently authorised": "暂停中，目前未获授权",
    "ended: no longer certified": "已终止，不再是认证基地",
    "not on the list: not certified": "不在名单上，即未获认证",
    "older than the newest one seen: ask again": "早于已见过的最新版本，请重新获取",
    "no longer good: ask again": "已过有效时间，请重新获取",
    "a whole list, as it was signed": "完整名单，与签名一致",
    "{} snapshots, each after the other; the newest is of {}.": "{} 份快照，前后相连；最新一份为 {}。",
    "issued as it says; in force only while its page or a list says so": "信息属实；现在是否有效，以网页或签名名单为准",
    "No official channel is set: our own list is the channel, and there is nothing to compare.": (
        "未设官方渠道：以自有名单为准，无需核对。"
    ),
    "{}: {} certificates on our list, {} there, no difference.": "{}：名单上 {} 个证书，渠道上 {} 个，没有差异。",
    "{}: {} certificates on our list, {} there.": "{}：名单上 {} 个证书，渠道上 {} 个。",
    "The workers compared last at {}: {}.": "工作进程上次核对于 {}：{}。",
    "The workers compared last at {}: {} missing, {} extra, {} different; {} sent again.": (
        "工作进程上次核对于 {}：缺少 {}，多出 {}，不一致 {}；已重发 {}。"
    ),
}
_CALENDAR = {
    "{} working days after {}: {} 24:00": "{}个工作日,自{}起:{} 24:00",
    "provisional: the notice for it is not in, it can only move later": "暂定:该年通知尚未发布,期限只会顺延",
    "Provisional from {} on. Version {}.": "自{}起为暂定。日历版本 {}。",
    "no notice yet: counted as working, so the deadline can only move later": "通知尚未发布:按工作日计,期限只会顺延",
    "Policy {}, since {}": "政策版本 {},自{}起施行",
}
_DOCTOR = {
    "{} (namespace {})": "{}(命名空间 {})",
    "Temporal server": "Temporal 服务器",
    "server version": "服务器版本",
    "history": "历史保留",
    "search attributes": "搜索属性",
    "worker": "工作进程",
    "clock": "时钟",
    "database": "数据库",
    "database kind": "数据库类型",
    "payload keys": "载荷密钥",
    "none: nothing can be sent": "无:目前无法发送",
    "{} seals, {} are known": "以 {} 加密,共 {} 个密钥",
    "none, and the server is no local one": "无,而服务器不是本地的",
    "none: local": "无:本地服务器",
    "documents": "文件库",
    "disk": "磁盘",
    "mail server": "邮件服务器",
    "none is set: letters wait": "未设置:通知暂不发送",
    "set LIVEBASE_SMTP_URL and LIVEBASE_MAIL_FROM, for the workers too": (
        "设 LIVEBASE_SMTP_URL 和 LIVEBASE_MAIL_FROM,工作进程也要设"
    ),
    "{} takes no letters: {}": "{} 不接收通知:{}",
    "letters wait until it answers; check LIVEBASE_SMTP_URL and the server": (
        "恢复之前通知暂不发送;检查 LIVEBASE_SMTP_URL 和邮件服务器"
    ),
    "official channel": "官方渠道",
    "none is set: our own list is the channel": "未设置:以自有名单为渠道",
    "{} was not compared with the list yet": "{} 尚未与名单核对",
    "a worker compares them once an hour: livebase worker": "工作进程每小时核对一次:livebase worker",
    "{} was last compared with the list at {}": "{} 上次与名单核对于 {}",
    "look at the schedule that ends in -comparison in Temporal Web": "在 Temporal Web 查看以 -comparison 结尾的调度",
    "{} could not be compared: {}, at {}": "{} 无法核对:{},{}",
    "entries wait until it answers; check LIVEBASE_CHANNEL_URL and the channel": (
        "恢复之前条目暂不送达;检查 LIVEBASE_CHANNEL_URL 和该渠道"
    ),
    "{} differs from the list in {} places, at {}": "{} 与名单有 {} 处不同,{}",
    "{} takes entries, {} wait; compared with the list at {}": "{} 正常,{} 条待送达;上次核对于 {}",
    "certificate fonts": "证书字体",
    "all there": "齐全",
    "{} lacks some: no certificate can be downloaded": "{} 中不全:证书不能下载",
    "where the official list is served: apt-get install fonts-noto-cjk, or set LIVEBASE_REGISTER_FONTS": (
        "在提供名单的机器上:apt-get install fonts-noto-cjk,或设 LIVEBASE_REGISTER_FONTS"
    ),
    "{} ({}), namespace {}": "{}({}),命名空间 {}",
    "no server to ask": "没有可询问的服务器",
    "mend the Temporal server first": "先处理 Temporal 服务器",
    "there is no namespace {}": "没有命名空间 {}",
    "{}, older than {}": "{},低于 {}",
    "upgrade the server to {} or newer": "请将服务器升级到 {} 或更高版本",
    "a run that is over is kept for {} days": "已结束的运行保留 {} 天",
    "missing: {}": "缺少:{}",
    "all registered": "均已登记",
    "remove it, then create it anew: temporal operator search-attribute remove --name NAME": (
        "先删除再重新创建:temporal operator search-attribute remove --name NAME"
    ),
    "nobody works on task queue {}": "没有工作进程处理任务队列 {}",
    "nobody has asked task queue {} for work since {}": "自 {1} 起无人处理任务队列 {0}",
    "task queue {} is worked on": "任务队列 {} 有工作进程处理",
    "the server does not say its time": "服务器未给出时间",
    "compare the clocks yourself": "请自行核对时钟",
    "{} s from the server's": "与服务器相差 {} 秒",
    "set this machine's clock or the server's: chronyc tracking, timedatectl": (
        "校准本机或服务器的时钟:chronyc tracking、timedatectl"
    ),
    "{}: the schema is not the newest": "{}:数据库结构不是最新",
    "restart livebase dev; on a cluster: {}": "重启 livebase dev;集群上运行:{}",
    "livebase dev makes it; or set LIVEBASE_DOCUMENTS": "由 livebase dev 建立;或设 LIVEBASE_DOCUMENTS",
    "no worker has made its key yet": "尚无 worker 建立密钥",
    "start a worker: livebase dev, or livebase worker": "启动 worker:livebase dev 或 livebase worker",
    "livebase dev makes it; or set LIVEBASE_DOCUMENT_KEYS": "由 livebase dev 建立;或设 LIVEBASE_DOCUMENT_KEYS",
    "it does not say which kind of server it belongs to": "未注明属于哪类服务器",
    "a local server's database, but {} is no local server": "这是本地服务器的数据库,但 {} 不是本地服务器",
    "set LIVEBASE_DATABASE_URL to the database of the server's workers, or leave out its address": (
        "将 LIVEBASE_DATABASE_URL 设为该服务器工作进程的数据库,或不指定服务器地址"
    ),
    "a cluster's database, but the server is the local one": "这是集群的数据库,但服务器是本地的",
    "leave out LIVEBASE_DATABASE_URL, or name the server it belongs to with --address": (
        "不设 LIVEBASE_DATABASE_URL,或用 --address 指定其所属服务器"
    ),
    "a local server's: clocks can be moved": "本地服务器:可快进时钟",
    "a cluster's: clocks run true": "集群:时钟不可移动",
    "there is no folder {}": "没有文件夹 {}",
    "{} can't be used ({})": "{} 无法使用({})",
    "make it a folder that can be written, or name another with LIVEBASE_DOCUMENTS": (
        "改为可写的文件夹,或用 LIVEBASE_DOCUMENTS 另行指定"
    ),
    "nothing is kept on this machine": "本机不存放数据",
    "{} MiB left at {}": "{1} 剩余 {0} MiB",
    "make room: the database can't be written on a full disk": "请清理空间:磁盘已满则无法写入数据库",
    "make room soon": "请尽快清理空间",
    "no notice for {}: every deadline is provisional": "没有{}年的通知:所有期限均为暂定",
    "import the State Council's notice: livebase calendar import NOTICE.json": (
        "导入国务院通知:livebase calendar import NOTICE.json"
    ),
    "notice for {} known, provisional from {} on": "{}年通知已有,自{}起为暂定",
    "notice for {} known, provisional from {} on ({})": "{}年通知已有,自{}起为暂定({})",
    "see where with: livebase doctor --debug": "用 livebase doctor --debug 查看出处",
}
_DEMO = {
    "starting a Temporal server": "启动 Temporal 服务器",
    "application received": "收到申请",
    "review taken": "领取审核",
    "application approved": "审核通过",
    "first part of the deposit": "缴纳部分保证金",
    "rest of the deposit": "缴清保证金",
    "published on the official list: {} through {}": "列入官方名单:{},有效至 {}",
    "the quarter {} is over": "季度 {} 结束",
    "To be confirmed by a second person: {} ({} passed): livebase assess confirm {}": (
        "待第二人确认:{}({}个基地合格):livebase assess confirm {}"
    ),
    "the year goes by": "一年将满",
    "renewal filed": "提交续签",
    "renewal approved": "续签通过",
    "the second year has begun": "第二年开始",
    "a violation is reported": "报告违规",
    "the base answers": "基地答复",
    "to be put right": "责令改正",
    "put right": "已改正",
    "checked and closed": "核查通过,了结",
    "a serious one, suspended at once": "严重违规,即时暂停",
    "revocation proposed": "提出撤销",
    "a second person approves": "第二人复核同意",
    "the base appeals": "基地申诉",
    "the appeal is decided": "申诉裁决",
    "marks out of use": "停用标识",
    "the settlement falls due": "结算到期",
    "official list": "官方名单",
    "audit chain": "审计链",
    "took": "用时",
    "{} entries, verified from the first": "{} 条,自首条起核验无误",
    "{} CNY held, to be settled": "在押人民币 {} 元,待结算",
    "{} events, time-skips not counted": "{} 个事件,不含时间快进",
}
_AUDIT = {
    "entry {} is missing": "第 {} 条缺失",
    "entry {} is there twice": "第 {} 条重复",
    "entry {} is not the case's: it wrote {}": "第 {} 条不属于该案件:其共写入 {} 条",
    "entry {} does not follow the entry before it": "第 {} 条与前一条不衔接",
    "entry {} can't be read": "第 {} 条无法读取",
    "entry {} was changed after it was written": "第 {} 条写入后被改动",
    "entries {} to {} were written anew: seal {} has another hash": "第 {} 至 {} 条被重写:与第 {} 号封存的散列不符",
    "entry {} is missing: seal {} has one as far as that": "第 {} 条缺失:第 {} 号封存已含至该条",
    "there are entries, but no such case": "有记录,但没有该案件",
    "the case is there twice": "案件出现了两次",
    "the case is gone: seal {} has it": "案件已不存在:第 {} 号封存含有该案件",
    "entry {} leaves {} at {} fen, the ledger lines so far come to {}": (
        "第 {} 条记 {} 为 {} 分,截至该条的分录合计为 {} 分"
    ),
    "{} is {} by the log, and {} by the database": "{}:按记录为 {},按数据库为 {}",
    "the case is not as entry {} left it": "案件与第 {} 条所留状态不符",
    "what entry {} wrote to {} is not there as it was written": "第 {} 条写入 {} 的内容与当时不符",
    "{} has a row that no entry wrote": "{} 中有一行不是任何记录写入的",
    "seal {} is missing": "第 {} 号封存缺失",
    "seal {} does not follow the seal before it": "第 {} 号封存与前一号不衔接",
    "seal {} was changed after it was made": "第 {} 号封存作成后被改动",
    "seal {} is missing: there is a copy of it outside": "第 {} 号封存缺失:库外有其副本",
    "seal {} is not the one there is a copy of outside": "第 {} 号封存与库外副本不符",
    "the copy of seal {} outside is missing": "第 {} 号封存的库外副本缺失",
    "the copy of seal {} outside was changed": "第 {} 号封存的库外副本被改动",
    "{} records so far": "已读 {} 条",
    "{} cases so far": "已验 {} 个案件",
    "{} signatures proven; {} entries were taken without, on a local server.": (
        "已验证 {} 个签名;{} 条在本机服务器上未经签名。"
    ),
    "what {} may do by the database is not what the log left": "{} 在数据库中的密钥或角色与记录不符",
    "entry {} is signed by no key that was anybody's then": "第 {} 条的签名当时不属于任何人的密钥",
    "entry {} has the signature of another person or another command": "第 {} 条的签名属于他人或另一条命令",
    "entry {} has a signature that was made for another case": "第 {} 条的签名是为另一案件作出的",
    "{} entries so far": "已核验 {} 条",
    "{} entries of {} cases proven, under {} seals.": "{1} 个案件共 {0} 条,自首条起核验完毕,封存 {2} 次。",
    "The copies outside were compared as far as seal {}.": "库外副本已比对至第 {} 号封存。",
    "what is wrong": "问题",
    "No command was refused.": "没有被拒绝的指令。",
    "sent to": "发往",
    "command": "指令",
    "entry": "条目",
}

_HOLDS = {
    english.format(rule): chinese.format(rule)
    for rule in ("R2", "R3", "R4", "R5", "R6", "R7", "R8")
    for english, chinese in (
        ("a violation of {} reported as urgent", "紧急报告的违规({})"),
        ("the violation of {} was not put right", "违规({})未改正"),
    )
}

SENTENCES: dict[str, str] = {**_DEMO, **_CASES, **_LIST, **_CALENDAR, **_DOCTOR, **_HOLDS, **_AUDIT}
