"""What people do to a case: one update per command, in process order, each followed by its validator.

What machines tell comes as signals, and what a run knows can be queried.
"""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.case import Case
    from domain.commands import (
        AcceptVerification,
        AddNote,
        Answer,
        Apply,
        Approve,
        ApproveProposal,
        ApproveRenewal,
        AssessmentNews,
        Assign,
        AssignPayment,
        Authorise,
        Certify,
        CheckMarks,
        ConfirmMarks,
        Correct,
        DecideAppeal,
        DecideAssessment,
        DeductDeposit,
        DenyProposal,
        DismissComplaint,
        Dissolve,
        EraseDocuments,
        ExtendDeadline,
        FileAppeal,
        ObjectAssessment,
        Publish,
        ReceiveDeposit,
        RefundDeposit,
        RefuseCertification,
        Reinstate,
        Reject,
        RejectRenewal,
        ReleaseReview,
        Renew,
        ReportRefund,
        RequestRenewalSupplement,
        RequestSupplement,
        ResendLetters,
        ReturnPayment,
        ReversePayment,
        Revoke,
        SetAside,
        Supplement,
        Surrender,
        Suspend,
        TakeReview,
        WaiveCoolingOff,
        Withdraw,
    )
    from domain.notices import NoticeReference

from workflows.keeping import CaseKeeping


class PeoplesActs(CaseKeeping):
    """The updates of a certification. Each answers with the case after it or fails with a refusal that has a kind."""

    @workflow.update(description="提交认证申请 Start the certification")
    async def apply(self, command: Apply) -> Answer:
        return await self._act(command)

    @apply.validator
    def _check_apply(self, command: Apply) -> None:
        self._check(command)

    @workflow.update(description="提交补充材料 Answer a supplement request")
    async def supplement(self, command: Supplement) -> Answer:
        return await self._act(command)

    @supplement.validator
    def _check_supplement(self, command: Supplement) -> None:
        self._check(command)

    @workflow.update(description="撤回申请 Withdraw the application")
    async def withdraw(self, command: Withdraw) -> Answer:
        return await self._act(command)

    @withdraw.validator
    def _check_withdraw(self, command: Withdraw) -> None:
        self._check(command)

    @workflow.update(description="领取审核 Take the review")
    async def take_review(self, command: TakeReview) -> Answer:
        return await self._act(command)

    @take_review.validator
    def _check_take_review(self, command: TakeReview) -> None:
        self._check(command)

    @workflow.update(description="退回审核 Release the review")
    async def release_review(self, command: ReleaseReview) -> Answer:
        return await self._act(command)

    @release_review.validator
    def _check_release_review(self, command: ReleaseReview) -> None:
        self._check(command)

    @workflow.update(description="审核通过 Approve the application")
    async def approve(self, command: Approve) -> Answer:
        await self._verification_heard()
        return await self._act(command)

    @approve.validator
    def _check_approve(self, command: Approve) -> None:
        self._check(command)

    @workflow.update(description="要求补充材料 Request a supplement")
    async def request_supplement(self, command: RequestSupplement) -> Answer:
        return await self._act(command)

    @request_supplement.validator
    def _check_request_supplement(self, command: RequestSupplement) -> None:
        self._check(command)

    @workflow.update(description="驳回申请 Reject the application")
    async def reject(self, command: Reject) -> Answer:
        return await self._act(command)

    @reject.validator
    def _check_reject(self, command: Reject) -> None:
        self._check(command)

    @workflow.update(description="登记保证金到账 Record a payment")
    async def receive_deposit(self, command: ReceiveDeposit) -> Answer:
        return await self._act(command)

    @receive_deposit.validator
    def _check_receive_deposit(self, command: ReceiveDeposit) -> None:
        self._check(command)

    @workflow.update(description="认领款项 Count a payment that fitted nowhere")
    async def assign_payment(self, command: AssignPayment) -> Answer:
        return await self._act(command)

    @assign_payment.validator
    def _check_assign_payment(self, command: AssignPayment) -> None:
        self._check(command)

    @workflow.update(description="退回款项 Return a payment that fits nowhere")
    async def return_payment(self, command: ReturnPayment) -> Answer:
        return await self._act(command)

    @return_payment.validator
    def _check_return_payment(self, command: ReturnPayment) -> None:
        self._check(command)

    @workflow.update(description="冲销款项 Take a payment back")
    async def reverse_payment(self, command: ReversePayment) -> Answer:
        return await self._act(command)

    @reverse_payment.validator
    def _check_reverse_payment(self, command: ReversePayment) -> None:
        self._check(command)

    @workflow.update(description="扣除保证金 Deduct from the deposit")
    async def deduct_deposit(self, command: DeductDeposit) -> Answer:
        return await self._act(command)

    @deduct_deposit.validator
    def _check_deduct_deposit(self, command: DeductDeposit) -> None:
        self._check(command)

    @workflow.update(description="认证 Certify the base")
    async def certify(self, command: Certify) -> Answer:
        return await self._act(command)

    @certify.validator
    def _check_certify(self, command: Certify) -> None:
        self._check(command)

    @workflow.update(description="不予认证 Refuse certification")
    async def refuse_certification(self, command: RefuseCertification) -> Answer:
        return await self._act(command)

    @refuse_certification.validator
    def _check_refuse_certification(self, command: RefuseCertification) -> None:
        self._check(command)

    @workflow.update(description="公示 Publish on the official list")
    async def publish(self, command: Publish) -> Answer:
        return await self._act(command)

    @publish.validator
    def _check_publish(self, command: Publish) -> None:
        self._check(command)

    @workflow.update(description="提交续签 File the renewal")
    async def renew(self, command: Renew) -> Answer:
        return await self._act(command)

    @renew.validator
    def _check_renew(self, command: Renew) -> None:
        self._check(command)

    @workflow.update(description="续签通过 Approve the renewal")
    async def approve_renewal(self, command: ApproveRenewal) -> Answer:
        return await self._act(command)

    @approve_renewal.validator
    def _check_approve_renewal(self, command: ApproveRenewal) -> None:
        self._check(command)

    @workflow.update(description="要求补充续签材料 Request a supplement to the renewal")
    async def request_renewal_supplement(self, command: RequestRenewalSupplement) -> Answer:
        return await self._act(command)

    @request_renewal_supplement.validator
    def _check_request_renewal_supplement(self, command: RequestRenewalSupplement) -> None:
        self._check(command)

    @workflow.update(description="续签不予通过 Reject the renewal")
    async def reject_renewal(self, command: RejectRenewal) -> Answer:
        return await self._act(command)

    @reject_renewal.validator
    def _check_reject_renewal(self, command: RejectRenewal) -> None:
        self._check(command)

    @workflow.update(description="更正名称、地址、联系人 Correct name, address, contact")
    async def correct(self, command: Correct) -> Answer:
        return await self._act(command)

    @correct.validator
    def _check_correct(self, command: Correct) -> None:
        self._check(command)

    @workflow.update(description="暂停认证 Suspend the base")
    async def suspend(self, command: Suspend) -> Answer:
        return await self._act(command)

    @suspend.validator
    def _check_suspend(self, command: Suspend) -> None:
        self._check(command)

    @workflow.update(description="恢复认证 Lift the suspension by compliance")
    async def reinstate(self, command: Reinstate) -> Answer:
        return await self._act(command)

    @reinstate.validator
    def _check_reinstate(self, command: Reinstate) -> None:
        self._check(command)

    @workflow.update(description="主动退出 Leave the certification")
    async def surrender(self, command: Surrender) -> Answer:
        return await self._act(command)

    @surrender.validator
    def _check_surrender(self, command: Surrender) -> None:
        self._check(command)

    @workflow.update(description="登记主体注销 Record that the enterprise is no more")
    async def dissolve(self, command: Dissolve) -> Answer:
        return await self._act(command)

    @dissolve.validator
    def _check_dissolve(self, command: Dissolve) -> None:
        self._check(command)

    @workflow.update(description="提出撤销认证 Propose the revocation")
    async def revoke(self, command: Revoke) -> Answer:
        return await self._act(command)

    @revoke.validator
    def _check_revoke(self, command: Revoke) -> None:
        self._check(command)

    @workflow.update(description="复核同意 Approve as the second person")
    async def approve_proposal(self, command: ApproveProposal) -> Answer:
        return await self._act(command)

    @approve_proposal.validator
    def _check_approve_proposal(self, command: ApproveProposal) -> None:
        self._check(command)

    @workflow.update(description="复核否决 Deny what waits for a second person")
    async def deny_proposal(self, command: DenyProposal) -> Answer:
        return await self._act(command)

    @deny_proposal.validator
    def _check_deny_proposal(self, command: DenyProposal) -> None:
        self._check(command)

    @workflow.update(description="对考核提出异议 Object to an assessment")
    async def object_assessment(self, command: ObjectAssessment) -> Answer:
        return await self._act(command)

    @object_assessment.validator
    def _check_object_assessment(self, command: ObjectAssessment) -> None:
        self._check(command)

    @workflow.update(description="考核决定 Decide an assessment")
    async def decide_assessment(self, command: DecideAssessment) -> Answer:
        return await self._act(command)

    @decide_assessment.validator
    def _check_decide_assessment(self, command: DecideAssessment) -> None:
        self._check(command)

    @workflow.update(description="确认停用标识 Confirm that marks are out of use")
    async def confirm_marks(self, command: ConfirmMarks) -> Answer:
        return await self._act(command)

    @confirm_marks.validator
    def _check_confirm_marks(self, command: ConfirmMarks) -> None:
        self._check(command)

    @workflow.update(description="抽查停用标识 Record a spot check of the marks")
    async def check_marks(self, command: CheckMarks) -> Answer:
        return await self._act(command)

    @check_marks.validator
    def _check_check_marks(self, command: CheckMarks) -> None:
        self._check(command)

    @workflow.update(description="退还保证金 Refund the deposit")
    async def refund_deposit(self, command: RefundDeposit) -> Answer:
        return await self._act(command)

    @refund_deposit.validator
    def _check_refund_deposit(self, command: RefundDeposit) -> None:
        self._check(command)

    @workflow.update(description="银行告知退款结果 The bank tells of a refund")
    async def report_refund(self, command: ReportRefund) -> Answer:
        return await self._act(command)

    @report_refund.validator
    def _check_report_refund(self, command: ReportRefund) -> None:
        self._check(command)

    @workflow.update(description="认可企业实名认证 Accept a verification that is not confirmed")
    async def accept_verification(self, command: AcceptVerification) -> Answer:
        return await self._act(command)

    @accept_verification.validator
    def _check_accept_verification(self, command: AcceptVerification) -> None:
        self._check(command)

    @workflow.update(description="分派 Give a task to somebody")
    async def assign(self, command: Assign) -> Answer:
        return await self._act(command)

    @assign.validator
    def _check_assign(self, command: Assign) -> None:
        self._check(command)

    @workflow.update(description="延长期限 Extend a deadline")
    async def extend_deadline(self, command: ExtendDeadline) -> Answer:
        return await self._act(command)

    @extend_deadline.validator
    def _check_extend_deadline(self, command: ExtendDeadline) -> None:
        self._check(command)

    @workflow.update(description="投诉不予受理 Dismiss a complaint of the public")
    async def dismiss_complaint(self, command: DismissComplaint) -> Answer:
        return await self._act(command)

    @dismiss_complaint.validator
    def _check_dismiss_complaint(self, command: DismissComplaint) -> None:
        self._check(command)

    @workflow.update(description="备注 Keep a note for the staff")
    async def add_note(self, command: AddNote) -> Answer:
        return await self._act(command)

    @add_note.validator
    def _check_add_note(self, command: AddNote) -> None:
        self._check(command)

    @workflow.update(description="重新送达通知 Send letters again")
    async def resend_letters(self, command: ResendLetters) -> Answer:
        return await self._act(command)

    @resend_letters.validator
    def _check_resend_letters(self, command: ResendLetters) -> None:
        self._check(command)

    @workflow.update(description="登记书面授权 Put an authorisation on record")
    async def authorise(self, command: Authorise) -> Answer:
        return await self._act(command)

    @authorise.validator
    def _check_authorise(self, command: Authorise) -> None:
        self._check(command)

    @workflow.update(description="提出申诉 File the appeal")
    async def file_appeal(self, command: FileAppeal) -> Answer:
        return await self._act(command)

    @file_appeal.validator
    def _check_file_appeal(self, command: FileAppeal) -> None:
        self._check(command)

    @workflow.update(description="裁决申诉 Decide the appeal")
    async def decide_appeal(self, command: DecideAppeal) -> Answer:
        return await self._act(command)

    @decide_appeal.validator
    def _check_decide_appeal(self, command: DecideAppeal) -> None:
        self._check(command)

    @workflow.update(description="撤销原决定 Set a decision of ours aside")
    async def set_aside(self, command: SetAside) -> Answer:
        return await self._act(command)

    @set_aside.validator
    def _check_set_aside(self, command: SetAside) -> None:
        self._check(command)

    @workflow.update(description="免除再次申请间隔期 Waive the cooling-off")
    async def waive_cooling_off(self, command: WaiveCoolingOff) -> Answer:
        return await self._act(command)

    @waive_cooling_off.validator
    def _check_waive_cooling_off(self, command: WaiveCoolingOff) -> None:
        self._check(command)

    @workflow.update(description="删除申请材料 Erase what was handed in")
    async def erase_documents(self, command: EraseDocuments) -> Answer:
        return await self._act(command)

    @erase_documents.validator
    def _check_erase_documents(self, command: EraseDocuments) -> None:
        self._check(command)

    # What machines tell.

    @workflow.signal(description="节假日安排变动 The calendar has changed")
    def calendar_changed(self, notice: NoticeReference) -> None:
        """Noted only; `run` counts the deadlines again."""
        self.state.note(notice)

    @workflow.signal(description="考核有新结果 Something of an assessment came on record")
    def assessment_news(self, news: AssessmentNews) -> None:
        """Noted only; `run` fetches it."""
        self.state.unheard = True

    @workflow.signal(description="案件被别处变更 Another workflow has changed the case")
    def case_changed(self) -> None:
        """Noted only; `run` reads the case again."""
        self.state.unheard = True

    @workflow.query(description="案件现状 The case as this run knows it")
    def case(self) -> Case | None:
        return self.state.case
